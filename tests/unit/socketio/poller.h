// A client that polls, for tests and fuzz targets. One thread, as World.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "unit/socketio/world.h"

namespace kilat::socketio::testing {

/// A client that polls. Its requests may arrive at any shard.
class Poller {
 public:
  explicit Poller(World& world, uint32_t at = 0, std::string_view query = {}, bool echo = false)
      : world_(world), at_(at) {
    opened_ =
        world.answer_text(world.send(at, "GET", "EIO=4&transport=polling" + std::string(query), {}, {}, false, echo));
    const size_t from = opened_.find(R"("sid":")");
    if (from != std::string::npos) sid_ = opened_.substr(from + 7, opened_.find('"', from + 7) - from - 7);
  }
  const std::string& opened() const { return opened_; }
  const std::string& sid() const { return sid_; }

  /// From now on its requests arrive there.
  void arrive_at(uint32_t at) { at_ = at; }
  World::Sent send(std::string_view method, std::string_view body = {}, std::string_view headers = {}) {
    return world_.send(at_, method, "EIO=4&transport=polling&sid=" + sid_, body, headers);
  }
  std::string post(std::string_view body, std::string_view headers = {}) {
    return world_.answer_text(send("POST", body, headers));
  }
  /// A poll: its answer, or `<waiting>`; then waiting() looks again.
  std::string get(std::string_view headers = {}) {
    poll_ = send("GET", {}, headers);
    return world_.answer_text(poll_);
  }
  std::string waiting() { return world_.answer_text(poll_); }
  const World::Sent& poll() const { return poll_; }

 private:
  World& world_;
  uint32_t at_;
  std::string opened_;
  std::string sid_;
  World::Sent poll_{};
};

}  // namespace kilat::socketio::testing
