// ChannelSet: channels by (app, name), looked up without building a string.
#pragma once

#include <memory>
#include <string_view>
#include <unordered_set>

#include "base/keyed_hash.h"
#include "hub/ids.h"

namespace kilat::hub {

struct ChannelRef {
  AppIndex app;
  std::string_view name;
};

/// Keyed, because clients choose the names: nobody outside can make names that collide.
inline size_t channel_hash(AppIndex app, std::string_view name) {
  return keyed_hash(name, kHashSeed + app);
}

/// The shard that gives a channel its order, keeps its presence, its cache and its counts.
inline ShardIndex home_of(AppIndex app, std::string_view name, ShardIndex shards) {
  // The upper half, because hash tables use the lower bits of the same value.
  return static_cast<ShardIndex>((channel_hash(app, name) >> 32) % shards);
}

/// `Channel` has members `app` and `name`. Addresses stay valid until erased.
template <typename Channel>
class ChannelSet {
 public:
  Channel* find(AppIndex app, std::string_view name) const {
    const auto found = set_.find(ChannelRef{app, name});
    return found == set_.end() ? nullptr : found->get();
  }
  Channel& insert(std::unique_ptr<Channel> channel) { return **set_.insert(std::move(channel)).first; }
  void erase(const Channel& channel) {
    const auto found = set_.find(ChannelRef{channel.app, channel.name});
    if (found != set_.end()) set_.erase(found);
  }
  size_t size() const { return set_.size(); }
  auto begin() const { return set_.begin(); }
  auto end() const { return set_.end(); }

 private:
  static ChannelRef ref(const std::unique_ptr<Channel>& channel) { return {channel->app, channel->name}; }
  static ChannelRef ref(const ChannelRef& channel) { return channel; }
  struct Hash {
    using is_transparent = void;
    size_t operator()(const auto& key) const { return channel_hash(ref(key).app, ref(key).name); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const {
      return ref(a).app == ref(b).app && ref(a).name == ref(b).name;
    }
  };
  std::unordered_set<std::unique_ptr<Channel>, Hash, Equal> set_;
};

}  // namespace kilat::hub
