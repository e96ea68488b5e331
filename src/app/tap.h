// Taps: HTTP clients of one shard that follow an app's events as lines of JSON (GET /apps/{id}/tail).
// Owner: one shard. Bound: a tap whose outbox holds kBehindBytes misses events, and is told how many.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hub/publication.h"
#include "net/outbox.h"

namespace kilat::app {

class Taps {
 public:
  static constexpr uint32_t kBehindBytes = 256 * 1024;

  struct Tap {
    hub::AppIndex app;
    std::string channel;  ///< pattern with `*`; empty: all
    std::string event;
    bool chunked;  ///< lines travel in HTTP chunks
    net::Outbox* outbox;
    uint64_t dropped = 0;
  };

  /// The tap must be removed before its outbox goes.
  void add(Tap tap) { taps_.push_back(std::move(tap)); }
  void remove(const net::Outbox& outbox) {
    std::erase_if(taps_, [&](const Tap& tap) { return tap.outbox == &outbox; });
  }

  /// What there is no memory for is left out and counted, too.
  void deliver(const hub::Publication& publication);

 private:
  static void push(Tap& tap, const hub::Publication& publication, std::string& line);

  std::vector<Tap> taps_;
};

}  // namespace kilat::app
