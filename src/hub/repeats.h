// Repeats: what was answered to publishes with an idempotency key, so that a backend that has lost the answer may ask
// again without its event being delivered twice.
// Owner: the home shard of the channels. Bounds: kKeysMax keys; the oldest is forgotten first.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "hub/command.h"

namespace kilat::hub {

class Repeats {
 public:
  static constexpr size_t kKeysMax = 100'000;

  struct Entry {
    PublishReply reply;
    uint64_t until_ms = 0;
    uint64_t tag = 0;  ///< of the write that decides it; 0: it is decided
  };

  // Nothing happens for a publication without a key.
  /// What is known of the event that this one repeats; null when it is new.
  Entry* find(const Publication& publication, uint64_t now_ms);
  /// From now on the event is known. std::bad_alloc: it is not.
  void note(const Publication& publication, uint64_t until_ms);
  void answered(const Publication& publication, const PublishReply& reply);
  void pending(const Publication& publication, uint64_t tag);
  /// It was not published after all.
  void forget(const Publication& publication);

  size_t size() const { return replies_.size(); }

 private:
  static std::string name_of(const Publication& publication);

  std::unordered_map<std::string, Entry> replies_;
  std::deque<std::string> order_;  ///< oldest first; names that were forgotten among them
};

}  // namespace kilat::hub
