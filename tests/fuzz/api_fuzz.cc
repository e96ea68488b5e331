// Arbitrary bodies of POST events and batch_events: every one is refused by a row with an HTTP status, or gives events
// that make valid JSON of the wire, with the data that the body had. The first byte chooses limits and kind.
#include <cstdint>
#include <string>
#include <string_view>

#include "api/event_body.h"
#include "base/json_parser.h"
#include "fuzz/require.h"
#include "pusher/encode.h"

namespace {

using namespace kilat;
using kilat::testing::require;

void check_event(const api::Event& event, const hub::AppSettings& app) {
  require(!event.name.empty() && event.name.size() <= app.event_name_max);
  require(!event.channels.empty() && event.channels.size() <= app.channels_per_event_max + 1);
  JsonParser parser;
  for (const std::string& channel : event.channels) {
    const std::string json = pusher::publication_json(
        *hub::Publication::make({.channel = channel, .event = event.name, .data = event.data}));
    const auto root = parser.parse_copy(json);
    require(root.has_value());
    const auto object = root->get_object();
    require(object["event"] == std::string_view(event.name));
    require(object["channel"] == std::string_view(channel));
    std::string_view data;
    require(object["data"].get(data) == simdjson::SUCCESS && data.size() <= app.event_bytes_max);
    require(object.size() == 3);
  }
}

void check_error(const Error& error) {
  const int status = reason_row(error.reason).http_status;
  require(status == 400 || status == 413);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  hub::AppSettings app;
  if ((data[0] & 1) != 0) app.event_bytes_max = 16, app.event_name_max = app.channel_name_max = 24;
  if ((data[0] & 2) != 0) app.channels_per_event_max = app.batch_max = 2;
  const bool strict = (data[0] & 4) != 0;
  std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
  body.append(64, '"');
  const std::string_view text = std::string_view(body).substr(0, size - 1);
  api::EventParser parser;
  if ((data[0] & 8) != 0) {
    const auto events = parser.parse_batch(text, app, strict);
    if (!events) return check_error(events.error()), 0;
    require(events->size() <= app.batch_max);
    for (const api::Event& event : *events) check_event(event, app);
  } else {
    const auto event = parser.parse_event(text, app, strict);
    if (!event) return check_error(event.error()), 0;
    check_event(*event, app);
  }
  return 0;
}
