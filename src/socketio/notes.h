// Notes: what a socket knows of itself for its record in the registry, and what its client is told only when that is on
// disk: what was acknowledged is there after a restart. Owner: the socket; only where there is a registry.
// Bounds: subscriptions of one connection; kAnswersMax answers and kHeldBytesMax of frames, which do not wait any
// longer then.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/frame.h"
#include "socketio/remembered.h"

namespace kilat::socketio {

struct Notes {
  static constexpr uint64_t kHeldBytesMax = 256 * 1024;
  static constexpr size_t kAnswersMax = 100;

  std::string key;                    ///< see registry_key()
  std::vector<RememberedRoom> rooms;  ///< those it is in, or has asked for; not user channels
  bool written = false;               ///< there may be a record

  struct Answer {
    uint64_t ticket;
    uint64_t ack;
    std::string json;
  };
  std::vector<Answer> answers;        ///< that wait for the disk, in order
  std::vector<net::FramePtr> frames;  ///< that came after the first of these
  uint64_t frame_bytes = 0;

  RememberedRoom* find(std::string_view channel) {
    for (RememberedRoom& room : rooms) {
      if (room.channel == channel) return &room;
    }
    return nullptr;
  }
  void forget(std::string_view channel) {
    std::erase_if(rooms, [channel](const RememberedRoom& room) { return room.channel == channel; });
  }
  void drop_waiting() {
    answers.clear();
    frames.clear();
    frame_bytes = 0;
  }
};

}  // namespace kilat::socketio
