// A whole Socket.IO session over a WebSocket, on a hub of two shards, beside another one and a reader of another
// protocol: whatever the client says, the others only ever receive packets that a client can take, and the session
// stays or is closed by a row of the table. In the end nothing is left of it. The first byte chooses options; then
// commands follow, each a byte and what it needs.
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/input.h"
#include "fuzz/require.h"
#include "unit/socketio/packet_check.h"
#include "unit/socketio/world.h"

namespace {

using namespace kilat;
using namespace kilat::socketio;
using namespace kilat::socketio::testing;
using kilat::testing::FuzzInput;
using kilat::testing::require;

constexpr std::string_view kRooms[] = {
    "c", "private-c", "presence-c", "cache-c", "#server-to-user-1", "private-encrypted-c", "custom:c", ""};
constexpr std::string_view kNamespaces[] = {"/", "/custom", "/shop", "/nope"};
constexpr std::string_view kValues[] = {"{}",
                                        "\"\"",
                                        "null",
                                        "[1,\"\\u00e9\"]",
                                        "123456789012345678901234567890",
                                        R"({"user_id":1,"user_info":{"n":"é"}})",
                                        R"({"_placeholder":true,"num":0})",
                                        R"("\ud83d\u0000")",
                                        R"({"$binary":"AQID"})"};
constexpr std::string_view kPackets[] = {"1",
                                         "2",
                                         "3",
                                         "6",
                                         "40",
                                         "41",
                                         "40{}",
                                         "44{}",
                                         "42[]",
                                         "430[]",
                                         "b",
                                         "bAQID",
                                         "4510-",
                                         "461-7[]",
                                         R"(451-["publish",{"channel":"c","event":"client-x",)"
                                         R"("data":{"_placeholder":true,"num":0}}])",
                                         R"(452-7["subscribe","c"])"};

std::string in(std::string_view nsp) {
  return nsp == "/" ? std::string() : std::string(nsp) + ",";
}

struct Scene {
  World world;
  Client& near;
  Client& far;
  Reader& reader;
  Client* speaker;
  PacketCheck heard_near;
  PacketCheck heard_far;
  PacketCheck heard_speaker;
  std::string pid;
  bool deflate;

  Scene(const World::Setup& setup, bool deflated, bool small)
      : world(2, setup),
        near(world.join(0)),
        far(world.open(1, "&b64=1", {.deflate = deflated})),
        reader(world.reader(1, "c")),
        speaker(nullptr),
        deflate(deflated) {
    far.connect();
    far.connect("/custom");
    for (Client* client : {&near, &far}) {
      for (const char* room : {"c", "cache-c"}) client->subscribe(room);
      client->subscribe_signed("private-c");
      client->subscribe_presence("presence-c", R"({"user_id":"2"})");
      client->sign_in(R"({"id":"2"})");
    }
    far.subscribe("c", "/custom");
    for (uint32_t i = 0; small && i < 2; ++i) {
      world.shard(i).sio.options.message_bytes_max = 100;
      world.shard(i).sio.options.binary_bytes_max = 150;
    }
    come();
  }

  void come() {
    speaker = &world.open(0, {}, {.deflate = deflate});
    heard_speaker = PacketCheck();
  }

  void check_others() {
    for (auto [client, check] : {std::pair(&near, &heard_near), std::pair(&far, &heard_far)}) {
      for (const std::string& text : client->read()) {
        require(check->take(text));
        if (text == "2") client->say("3");
      }
      require(check->complete() && !client->finished());
    }
    for (const std::string& text : reader.read()) require(heard_near.is_json(text));
  }
  void check_speaker() {
    const Log log = speaker->read();
    for (size_t i = 0; i < log.size(); ++i) {
      require(!log[i].starts_with("<broken"));
      if (log[i].starts_with("<close")) require(i + 1 == log.size() && speaker->finished());
      if (!log[i].starts_with('<')) require(heard_speaker.take(log[i]));
      if (const size_t at = log[i].find(R"("pid":")"); at != std::string::npos) pid = log[i].substr(at + 7, 20);
    }
    if (!speaker->finished()) return;
    require(*speaker->finished() != Reason::kNone && speaker->link().closing());
  }
};

void speak(Scene& scene, FuzzInput& input) {
  Client& client = *scene.speaker;
  const uint8_t what = input.byte();
  const std::string_view nsp = kNamespaces[what >> 6];
  switch (what % 24) {
    case 0: return client.say("40" + in(nsp));
    case 1: client.subscribe(input.pick(kRooms), nsp); return;
    case 2: client.subscribe_signed(input.pick(kRooms), nsp); return;
    case 3: {
      const std::string_view room = input.pick(kRooms);
      client.subscribe_presence(room, input.pick(kValues), nsp);
      return;
    }
    case 4: client.ask("unsubscribe", json_string(input.pick(kRooms)), nsp); return;
    case 5: client.sign_in(R"({"id":"1","user_info":)" + std::string(input.pick(kValues)) + "}"); return;
    case 6: {
      const std::string_view room = input.pick(kRooms);
      client.publish(room, "client-x", input.pick(kValues), nsp);
      return;
    }
    case 7: {
      const std::string_view room = input.pick(kRooms);
      return client.say("42" + in(nsp) + R"(["publish",{"channel":")" + std::string(room) + R"(","event":"client-)" +
                        std::string(input.text()) + R"(","data":)" + std::string(input.text()) + "}]");
    }
    case 8: return client.say("42" + in(nsp) + std::string(input.text()));
    case 9: return client.say("4" + std::string(input.text()));
    case 10: return client.say(input.text());
    case 11: return client.say_binary(input.text());
    case 12: return client.feed(input.text());
    case 13: return client.say(input.pick(kPackets));
    case 14: return client.say("451-" + in(nsp) + "7[" + std::string(input.text()) + "]");
    case 15: {
      const std::string answer = scene.world.call(what >> 7, "POST", "emit", input.text());
      return require(answer.starts_with('<') || scene.heard_near.is_json(answer));
    }
    case 16: {
      std::string body =
          R"({"event":"e","args":[)" + std::string(input.pick(kValues)) + "," + std::string(input.pick(kValues)) + "]";
      const uint8_t how = input.byte();
      if ((how & 1) != 0)
        body += R"(,"rooms":[)" + json_string(input.pick(kRooms)) + "," + json_string(input.pick(kRooms)) + "]";
      if ((how & 2) != 0) body += R"(,"except":[)" + json_string(input.pick(kRooms)) + "]";
      if ((how & 4) != 0) body += R"(,"ack_timeout_ms":1500)";
      if ((how & 8) != 0) body += R"(,"volatile":true)";
      if ((how & 16) != 0) body += R"(,"users":["1"])";
      if ((how & 32) != 0) body += R"(,"sockets":[)" + json_string(client.gone() ? std::string() : client.id()) + "]";
      scene.world.post("emit", body + "}");
      return;
    }
    case 17: {
      // Only the speaker signs in as this user.
      constexpr std::string_view kActions[] = {"join", "leave", "disconnect"};
      const std::string close = (what & 128) != 0 ? R"(,"close":true)" : "";
      scene.world.post(input.pick(kActions), R"({"to":["d"],"users":["1"])" + close + "}");
      return;
    }
    case 18: {
      constexpr std::string_view kQuestions[] = {"sockets", "rooms", "count", "users/1", "sockets?room=c"};
      return require(scene.heard_near.is_json(scene.world.call(1, "GET", input.pick(kQuestions))));
    }
    case 19: return scene.world.publish(input.pick(kRooms), "m", input.pick(kValues));
    case 20: client.drop(); return;
    case 21:
      return client.say("40" + in(nsp) + R"({"pid":")" + scene.pid + R"(","offset":")" + std::string(input.text()) +
                        "\"}");
    case 22: return client.say("40" + in(nsp) + R"({"pid":")" + scene.pid + "\"}");
    default: return scene.world.pass(uint64_t{input.byte()} * 200);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  FuzzInput input(data, size);
  const uint8_t choice = input.byte();
  World::Setup setup;
  setup.app.client_events_on_public = setup.app.client_events_on_encrypted = (choice & 1) != 0;
  setup.options.recovery_ms = (choice & 2) != 0 ? 5'000 : 0;
  setup.options.recovery_bytes_max = (choice & 4) != 0 ? 300 : 100'000;
  setup.options.compression = (choice & 8) != 0;
  setup.options.message_bytes_max = setup.options.binary_bytes_max = 10'000;
  setup.options.namespaces_max = (choice & 32) != 0 ? 2 : 20;
  setup.options.strict_channel_names = (choice & 64) != 0;
  setup.app.client_events_per_second = (choice & 128) != 0 ? 2 : 0;
  Scene scene(setup, setup.options.compression, (choice & 16) != 0);
  for (int turn = 0; turn < 64 && !input.empty(); ++turn) {
    speak(scene, input);
    scene.world.pump();
    scene.check_others();
    if (!scene.speaker->gone()) scene.check_speaker();
    if (scene.speaker->gone() || scene.speaker->finished()) scene.come();
  }
  scene.speaker->drop();
  scene.world.pass(2'000);
  scene.check_others();
  for (int i = 0; i < 8; ++i) {
    scene.world.pass(1'000);
    scene.check_others();
  }
  require(scene.world.sessions() == 2 && scene.world.sockets() == 3 && scene.world.admitted() == 2);
  return 0;
}
