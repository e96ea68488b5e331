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

  bool any() const { return subscription_count || user_count || cache; }
};

/// Reads "a,b,c"; names it does not know mean nothing.
Info parse_info(std::string_view text);

struct Event {
  std::string name;
  std::string data;  ///< a JSON string literal, ready for the frame
  std::vector<std::string> channels;
  hub::SocketId exclude;
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
