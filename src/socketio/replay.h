// Replay: the last events of one socket, for a client that comes back, each with its offset.
// Owner: the socket. Bounds: Options::recovery_bytes_max; what is dropped from the front can't be recovered any more.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "net/frame.h"

namespace kilat::socketio {

class Replay {
 public:
  /// `first`: the number of the last event before the socket was there.
  Replay(std::string pid, uint32_t bytes_max, uint64_t first)
      : pid_(std::move(pid)), first_(first), lost_(first), bytes_max_(bytes_max) {}

  const std::string& pid() const { return pid_; }

  /// Keeps an event; its number is above all before it.
  void add(uint64_t number, net::FramePtr frame) {
    bytes_ += cost(*frame);
    entries_.push_back({number, std::move(frame)});
    while (bytes_ > bytes_max_) {
      lost_ = entries_.front().number;
      bytes_ -= cost(*entries_.front().frame);
      entries_.pop_front();
    }
  }

  /// Whether all that came after `number` is still here.
  bool holds_after(uint64_t number) const { return number >= lost_; }
  uint64_t first() const { return first_; }

  template <typename Send>
  void for_each_after(uint64_t number, Send&& send) const {
    for (const Entry& entry : entries_) {
      if (entry.number > number) send(entry.frame);
    }
  }

 private:
  static constexpr uint32_t kEntryCost = 64;
  struct Entry {
    uint64_t number;
    net::FramePtr frame;
  };
  static uint64_t cost(const net::Frame& frame) { return frame.size() + kEntryCost; }

  std::string pid_;
  std::deque<Entry> entries_;
  uint64_t first_;
  uint64_t lost_;  ///< number of the last event that is not here, but came before those that are
  uint64_t bytes_ = 0;
  uint32_t bytes_max_;
};

}  // namespace kilat::socketio
