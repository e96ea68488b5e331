// A whole Pusher session on a hub of two shards, beside two others that read: whatever the client says, the others only
// ever receive valid JSON in valid frames, and the session stays or is closed by a row of the table.
// The first byte chooses options; then commands follow, each a byte and what it needs.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/json_parser.h"
#include "fuzz/input.h"
#include "fuzz/require.h"
#include "unit/pusher/world.h"

namespace {

using namespace kilat;
using namespace kilat::pusher;
using namespace kilat::pusher::testing;

using Input = kilat::testing::FuzzInput;
using kilat::testing::require;

constexpr std::string_view kChannels[] = {
    "c", "private-c", "presence-c", "cache-c", "#server-to-user-1", "private-encrypted-c", "private-cache-c", ""};
constexpr std::string_view kValues[] = {"{}",
                                        "\"\"",
                                        "null",
                                        "[1,\"\\u00e9\"]",
                                        "123456789012345678901234567890",
                                        R"({"user_id":1,"user_info":{"n":"é"}})",
                                        R"({"id":"1","watchlist":["2","1"]})",
                                        R"("\ud83d\ude00\u0000")"};

// What the client sends: well formed with odd parts, or anything at all.
void speak(Client& client, Input& input) {
  const uint8_t what = input.byte();
  const std::string_view channel = kChannels[(what >> 4) & 7];
  const std::string_view value = kValues[input.byte() & 7];
  switch (what & 15) {
    case 0: return client.subscribe(channel);
    case 1: return client.subscribe_private(channel);
    case 2: return client.subscribe_presence(channel, value);
    case 3: return client.subscribe_presence(channel, R"({"user_id":)" + json_string(kChannels[what >> 5]) + "}");
    case 4: return client.unsubscribe(channel);
    case 5: return client.sign_in(value);
    case 6: return client.sign_in(R"({"id":"1","user_info":{}})");
    case 7:
      return client.say(R"({"event":"client-x","channel":)" + json_string(channel) + R"(,"data":)" +
                        std::string(value) + "}");
    case 8:
      return client.say(R"({"event":"client-)" + std::string(input.text()) + R"(","channel":")" + std::string(channel) +
                        R"(","data":)" + std::string(input.text()) + "}");
    case 9: return client.say(R"({"event":"pusher:subscribe","data":)" + std::string(input.text()) + "}");
    case 10: {
      // As a string with the right signature, so that what is behind the check is reached as well.
      const std::string data(input.text());
      return client.subscribe_presence(channel, data);
    }
    case 11: return client.sign_in(input.text());
    case 12: return client.say(input.text());
    case 13: return client.feed(input.text());
    case 14: return client.feed(ws::encode_masked_frame(ws::Opcode::kText, input.text(), kMask, (what & 16) != 0));
    default: return client.say(R"({"event":)" + json_string(kChannels[what >> 5]) + "}");
  }
}

void check_reader(Client& client, JsonParser& parser) {
  for (const std::string& text : client.read()) {
    if (text.starts_with("<ping")) continue;
    const std::optional<simdjson::dom::element> root = parser.parse_copy(text);
    require(root && root->is_object() && string_member(root->get_object(), "event").has_value());
  }
  require(!client.finished());
}

// Input may hold bytes that are no UTF-8: these end the session with their row, and are never echoed.
void check_speaker(Client& client, JsonParser& parser) {
  const Log log = client.read();
  for (size_t i = 0; i < log.size(); ++i) {
    require(!log[i].starts_with("<broken"));
    if (log[i].starts_with("<close")) require(i + 1 == log.size() && client.finished());
    if (!log[i].starts_with('<')) require(parser.parse_copy(log[i]).has_value());
  }
  if (client.finished()) require(*client.finished() != Reason::kNone && client.session().closing());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  Input input(data, size);
  const uint8_t choice = input.byte();
  hub::AppSettings app = app_settings();
  app.client_events_on_public = app.client_events_on_encrypted = (choice & 1) != 0;
  app.subscription_count = (choice & 2) != 0;
  app.strict_errors = (choice & 4) != 0;
  app.require_authorization = (choice & 8) != 0;
  app.client_events_per_second = (choice & 16) != 0 ? 2 : 0;
  app.channel_name_max = app.event_name_max = (choice & 32) != 0 ? 12 : 200;
  app.watchlist_max = 1;
  World world(2, app, {.malformed_per_minute = 100, .strict_channel_names = (choice & 64) != 0});
  const SessionOptions deflated{.socket_id = {}, .format = kDeflatedFormat, .deflate = true};
  Client& near = world.connect(0);
  Client& far = world.connect(1, deflated);
  Client& speaker = world.connect(0, (choice & 128) != 0 ? deflated : SessionOptions{});
  for (Client* reader : {&near, &far}) {
    for (const char* channel : {"c", "cache-c"}) reader->subscribe(channel);
    reader->subscribe_private("private-c");
    reader->subscribe_presence("presence-c", R"({"user_id":"2"})");
    reader->sign_in(R"({"id":"2","watchlist":["1"]})");
  }
  JsonParser parser;
  for (int turn = 0; turn < 64 && !input.empty() && !speaker.finished(); ++turn) {
    speak(speaker, input);
    world.pump();
    if (turn % 8 == 7) world.pass(1'000);
    check_speaker(speaker, parser);
    check_reader(near, parser);
    check_reader(far, parser);
  }
  speaker.drop();
  world.pass(4'000);
  check_reader(near, parser);
  check_reader(far, parser);
  return 0;
}
