// Bodies of POST events and batch_events (docs/http-api.md).
// Owner: an EventParser belongs to one shard; its memory is reused. The result's views live until the next parse.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hub/app_settings.h"
#include "hub/ids.h"

namespace kilat::api {

/// Which numbers the caller asked for.
struct Info {
  bool subscription_count = false;
  bool user_count = false;
  bool cache = false;
  bool position = false;  ///< publishing: of the event in its channel's history

  bool any() const { return subscription_count || user_count || cache || position; }
};

/// Reads "a,b,c"; names it does not know mean nothing.
Info parse_info(std::string_view text);

/// What a backend says with a request that it may have to repeat.
inline constexpr size_t kIdempotencyKeyMax = 128;
bool valid_idempotency_key(std::string_view key);

struct Event {
  std::string name;
  std::string data;  ///< a JSON string literal, ready for the frame
  std::vector<std::string> channels;
  hub::SocketId exclude;
  std::string key;  ///< idempotency; empty: none
  Info info;
};

class EventParser {
 public:
  EventParser();
  ~EventParser();

  /// `body` has 64 readable bytes behind it. Errors are rows with status 400 or 413.
  Result<Event> parse_event(std::string_view body, const hub::AppSettings& app, bool strict_names);
  /// All entries, or the first error.
  Result<std::vector<Event>> parse_batch(std::string_view body, const hub::AppSettings& app, bool strict_names);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kilat::api
