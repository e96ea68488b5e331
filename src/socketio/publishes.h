// Publishes: what is published for somebody who wants to know what the homes of the channels say to it.
// Owner: Shard. Bounds: kMax that wait.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <unordered_map>

#include "hub/shard_hub.h"

namespace kilat::socketio {

class Publishes {
 public:
  static constexpr size_t kMax = 10'000;

  /// kNone: all homes have taken it, and where it is to be on disk, it is there. Else why one of them did not.
  using Done = std::move_only_function<void(Reason refused)>;

  explicit Publishes(hub::ShardHub& hub) : hub_(hub) {}

  bool full() const { return waiting_.size() >= kMax; }

  /// Publishes all, in this order, as ShardHub::publish does. Nothing: `done`, which is not called before this returns,
  /// will be, once, on this shard. Else what is known at once: a refusal ends it, with what was before it published.
  /// Without `done` what is not known at once counts as taken.
  std::optional<Reason> publish(std::span<const hub::PublicationPtr> publications, Done done);

  /// The requests of this class are told apart from those of others.
  static bool is_own(hub::RequestId request) { return request >> 62 == kOwn >> 62; }
  void on_published(hub::RequestId request, const hub::PublishReply& reply);

 private:
  static constexpr hub::RequestId kOwn = hub::RequestId{1} << 62;

  struct Waiting {
    size_t homes = 0;                ///< that have not answered
    Reason refused = Reason::kNone;  ///< by one of them
    Done done;
  };

  hub::ShardHub& hub_;
  hub::RequestId last_request_ = kOwn;
  std::unordered_map<hub::RequestId, Waiting> waiting_;
};

}  // namespace kilat::socketio
