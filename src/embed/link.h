// Link: what the handles of a program (io::Socket, io::Rooms, …) hold on to: what is registered, and the way to the
// shards. Owner: shared by the server and all handles; outlives the shards, which it forgets when they end.
// Threads: what is registered does not change after seal(); post() from any thread. Bound: kTasksMax tasks that wait
// for one shard.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hub/ids.h"
#include "kilat/socket.h"

namespace kilat::embed {

class ShardSide;

/// Looks up by std::string_view.
struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
template <typename Value>
using TextMap = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

/// Throws std::logic_error when `sealed`: handlers are registered before the start.
void require_open(bool sealed);

}  // namespace kilat::embed

namespace kilat::io::detail {

/// What a program has registered for one namespace.
struct NamespaceHandlers {
  std::string name;
  std::vector<std::function<void(Socket)>> connection;
  embed::TextMap<std::shared_ptr<EventHandler>> events;
  std::vector<Namespace::Middleware> middleware;
  bool built_in = true;
};

class Link {
 public:
  static constexpr uint32_t kTasksMax = 65'536;
  using Task = std::move_only_function<void(embed::ShardSide&)>;

  /// The handlers of a namespace; made when there are none.
  NamespaceHandlers& handlers(const std::string& name);
  const NamespaceHandlers* find(const std::string& name) const;
  std::vector<std::string> names() const;
  void seal() { sealed_ = true; }
  bool sealed() const { return sealed_; }
  /// Drops all handlers, which may hold handles of this very object. After the shards have gone.
  void forget_handlers();

  void attach(embed::ShardSide& side, hub::ShardIndex shard);
  /// Nothing is posted to this shard any more. Waits for those who do.
  void detach(hub::ShardIndex shard);
  /// The side of the shard whose thread calls, if it is one of this server; else null.
  embed::ShardSide* here() const;
  /// Has the shard's thread do it, later. False when it has ended or has too much to do.
  bool post(hub::ShardIndex shard, Task task);
  /// At once when the thread that calls is that of the shard; else posted to it.
  bool reach(hub::ShardIndex shard, Task task);

 private:
  struct Place {
    embed::ShardSide* side = nullptr;
    std::atomic<uint32_t> waiting{0};
  };

  std::unordered_map<std::string, std::unique_ptr<NamespaceHandlers>> namespaces_;
  bool sealed_ = false;
  mutable std::shared_mutex mutex_;
  std::array<Place, hub::kShardsMax> places_;
};

}  // namespace kilat::io::detail
