// What goes into the engine and what comes out of it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace kilat::flow {

/// How often results may become events that rules fold again (a loop guard).
inline constexpr uint8_t kDepthMax = 8;

/// What the caller hangs on an event. A result in place that is one event, and not made of several, carries its mark.
using Mark = std::shared_ptr<const void>;

/// What an event has that no rule looks at; views. Where one event is left of many, it goes on with its own; what was
/// made of several has only `from_client`, of any of them.
struct Origin {
  bool from_client = false;           ///< no word of the backend's
  std::array<uint64_t, 2> exclude{};  ///< who does not get it; opaque
  std::string_view user_id = {};
  std::string_view packet = {};
  Mark mark = {};
  uint32_t mark_bytes = 0;  ///< of the memory
};

/// The same, with texts of its own.
struct KeptOrigin {
  bool from_client = false;
  std::array<uint64_t, 2> exclude{};
  std::string user_id;
  std::string packet;
  Mark mark = {};
  uint32_t mark_bytes = 0;

  Origin view() const { return {from_client, exclude, user_id, packet, mark, mark_bytes}; }
  uint64_t bytes() const { return user_id.size() + packet.size() + mark_bytes; }
  void drop_mark() {
    mark.reset();
    mark_bytes = 0;
  }
};

/// An event on its way through the home of its channel; views, for one call.
struct Event {
  std::string_view channel;
  std::string_view bare;   ///< the channel without the prefix of its kind
  std::string_view event;  ///< its name
  std::string_view data;   ///< as in the frame: a JSON string literal, or a JSON value
  uint64_t now_ms = 0;     ///< monotonic
  uint64_t unix_ms = 0;
  Origin origin = {};
};

/// An event that a rule sends.
struct Emission {
  std::string channel;
  std::string event;
  std::string data;     ///< in the form of the data it was made of
  std::string subject;  ///< of a conflate rule: what it tells the newest of, different from all others; else empty
  uint8_t depth = 0;    ///< to be given to the engine of its channel's home
  bool derived =
      false;  ///< true: a new event, for the rules of its channel; false: of its own channel, for readers only
  KeptOrigin origin;
};

enum class Fate : uint8_t {
  kPass,   ///< the event is delivered as it is
  kTaken,  ///< a rule in place has it; what is to be delivered instead comes as emissions, now or later
};

}  // namespace kilat::flow
