// Whole shards on the fake kernel: the input is a program of what clients, networks and time do, and in which order the
// shards turn. Whatever it says, readers only hear what they may, in one order for each channel, and when all clients
// are gone nothing is left of them: see require() and DeliveryLedger for what must hold.
// The first byte chooses the number of shards, the second what randomness gives; then commands follow, each a byte and
// the bytes it takes; a missing byte is 0. See run() for the commands.
#include <signal.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "base/json_text.h"
#include "fake_net/client.h"
#include "fake_net/delivery_ledger.h"
#include "ws/frame.h"

namespace {

using namespace kilat;
using namespace kilat::fake_net;

constexpr size_t kSlots = 8;
constexpr int kCommandsMax = 160;
constexpr std::array<App, 3> kApps{{{"3", "app-key"}, {"4", "shared-key"}, {"5", "own-key"}}};
constexpr std::array<std::string_view, 8> kChannels{"a",       "b",         "private-c",           "presence-d",
                                                    "cache-e", "private-f", "private-encrypted-g", "private-cache-h"};
constexpr std::string_view kDeflate = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

void require(const std::string& wrong) {
  if (wrong.empty()) return;
  std::fprintf(stderr, "left over: %s\n", wrong.c_str());
  std::abort();
}

class Program {
 public:
  Program(const uint8_t* data, size_t size) : data_(data), left_(size) {}
  bool ended() const { return left_ == 0; }
  uint8_t byte() {
    if (left_ == 0) return 0;
    --left_;
    return *data_++;
  }
  std::string bytes() {
    std::string text;
    for (size_t count = byte() % 64; count > 0 && !ended(); --count) text += static_cast<char>(byte());
    return text;
  }

 private:
  const uint8_t* data_;
  size_t left_;
};

struct Slot {
  std::optional<Client> client;
  App app;
  uint32_t shard = 0;
  size_t publisher = 0;  ///< the order of its events is its own
  DeliveryLedger::ReaderId reader = DeliveryLedger::kNobody;
  bool wild = false;  ///< has sent anything at all: what it joins is not known
};

class Run {
 public:
  Run(const config::Settings& settings, uint64_t seed, Program& program) : world_(settings, seed), program_(program) {}

  void run() {
    for (int i = 0; i < kCommandsMax && !program_.ended(); ++i) {
      command();
      read_all();
    }
    settle();
    read_all();
    ledger_.compare_orders();
    for (Slot& slot : slots_) end(slot);
    if (!drained_) {
      world_.pass(13'000);
      require(world_.leftovers());
    }
    require(world_.end());
  }

 private:
  void command() {
    Slot& slot = slots_[program_.byte() % kSlots];
    switch (program_.byte() % 20) {
      case 0:
      case 1: return connect(slot, true);
      case 2: return connect(slot, false);
      case 3:
      case 4: return subscribe(slot);
      case 5: return unsubscribe(slot);
      case 6: return client_event(slot);
      case 7:
      case 8: return publish(slot);
      case 9: return publish_batch(slot);
      case 10: return sign_in(slot);
      case 11: return backend(slot);
      case 12: return garbage(slot);
      case 13: chop_ = program_.byte() % 48; return;
      case 14: return narrow(slot);
      case 15: return part(slot);
      case 16: return pass();
      case 17: world_.step(program_.byte() % world_.size()); return;
      case 18: return settle();
      default: return drain();
    }
  }

  // Bytes to the server: whole, or in pieces with turns of its shard between them.
  void send(Slot& slot, std::string_view bytes) {
    if (!slot.client) return;
    const size_t piece = chop_ == 0 ? bytes.size() : std::max<size_t>(chop_, bytes.size() / 16 + 1);
    while (!bytes.empty()) {
      slot.client->send(bytes.substr(0, piece));
      bytes.remove_prefix(std::min(piece, bytes.size()));
      if (!bytes.empty()) world_.step(slot.shard);
    }
  }
  void say(Slot& slot, std::string_view json) { send(slot, text_frame(json)); }

  void connect(Slot& slot, bool session) {
    const uint8_t how = program_.byte();
    end(slot);
    slot.app = kApps[how / 8 % kApps.size()];
    slot.shard = how % world_.size();
    slot.publisher = ++publishers_;
    slot.wild = false;
    slot.client.emplace(world_, slot.shard, slot.app);
    if (!session) return;
    slot.reader = ledger_.add_reader(slot.app.id);
    send(slot, upgrade_request(slot.app, (how & 128) != 0 ? kDeflate : std::string_view()));
    settle();
    read(slot);
  }

  std::string_view channel() { return kChannels[program_.byte() % kChannels.size()]; }

  void subscribe(Slot& slot) {
    const std::string_view name = channel();
    const std::string member = R"({"user_id":")" + std::to_string(program_.byte() % 6) + R"("})";
    if (slot.reader == DeliveryLedger::kNobody || !slot.client) return;
    ledger_.subscribe(slot.reader, name);
    say(slot, slot.client->subscription(name, member));
  }
  void unsubscribe(Slot& slot) {
    const std::string_view name = channel();
    if (slot.reader == DeliveryLedger::kNobody) return;
    ledger_.unsubscribe(slot.reader, name);
    say(slot, R"({"event":"pusher:unsubscribe","data":{"channel":)" + json_string(name) + "}}");
  }
  void client_event(Slot& slot) {
    const std::string name(channel());
    if (slot.reader == DeliveryLedger::kNobody) return;
    const uint64_t number = ledger_.publish({std::string(slot.app.id), name}, slot.publisher, slot.reader);
    say(slot, R"({"event":"client-e","channel":)" + json_string(name) + R"(,"data":")" +
                  DeliveryLedger::data_of(number) + R"("})");
  }

  std::string event_json(Slot& slot, std::string_view name) {
    const uint8_t how = program_.byte();
    const Slot& spared = slots_[how % kSlots];
    const bool spare = (how & 16) != 0 && spared.client && spared.app.id == slot.app.id;
    const std::string id = spare ? spared.client->socket_id() : std::string();
    const uint64_t number = ledger_.publish({std::string(slot.app.id), std::string(name)}, slot.publisher,
                                            id.empty() ? DeliveryLedger::kNobody : spared.reader);
    std::string json = R"({"name":"e","channel":)" + json_string(name) + R"(,"data":")" +
                       DeliveryLedger::data_of(number) + std::string((how & 32) != 0 ? 6'000 : 0, 'x') + '"';
    if (!id.empty()) json += R"(,"socket_id":)" + json_string(id);
    if ((how & 64) != 0) json += R"(,"info":"subscription_count,user_count")";
    return json + '}';
  }
  void publish(Slot& slot) {
    const std::string_view name = channel();
    const std::string path = "/apps/" + std::string(slot.app.id) + "/events";
    const std::string body = event_json(slot, name);
    send(slot, signed_request("POST", path, {}, body, slot.app));
  }
  void publish_batch(Slot& slot) {
    std::string list;
    for (int count = program_.byte() % 4; count >= 0; --count) {
      if (!list.empty()) list += ',';
      list += event_json(slot, channel());
    }
    const std::string path = "/apps/" + std::string(slot.app.id) + "/batch_events";
    send(slot, signed_request("POST", path, {}, R"({"batch":[)" + list + "]}", slot.app));
  }

  void sign_in(Slot& slot) {
    const std::string id = std::to_string(program_.byte() % 4);
    if (!slot.client || slot.reader == DeliveryLedger::kNobody) return;
    slot.client->sign_in(R"({"id":")" + id + R"(","watchlist":["0","1","2"]})");
  }
  void backend(Slot& slot) {
    const uint8_t what = program_.byte();
    const std::string app = "/apps/" + std::string(slot.app.id);
    const std::string user = app + "/users/" + std::to_string(what / 8 % 4);
    switch (what % 8) {
      case 0: return send(slot, signed_request("POST", user + "/terminate_connections", {}, "{}", slot.app));
      case 1: return send(slot, signed_request("POST", user + "/force_reconnect", {}, "{}", slot.app));
      case 2: return send(slot, signed_request("GET", app + "/channels", "info=subscription_count", {}, slot.app));
      case 3: return send(slot, signed_request("GET", app + "/channels/presence-d/users", {}, {}, slot.app));
      case 4: return send(slot, signed_request("GET", app + "/channels/cache-e", "info=cache", {}, slot.app));
      case 5: return send(slot, signed_request("GET", app + "/tail", "channel=*", {}, slot.app));
      case 6: return send(slot, "GET /live/ HTTP/1.1\r\nHost: x\r\n\r\n");
      default: return send(slot, "GET /up HTTP/1.1\r\nHost: x\r\n\r\n");
    }
  }
  // What comes after it is anybody's guess, so the ledger no longer looks at this reader.
  void garbage(Slot& slot) {
    const uint8_t how = program_.byte();
    const std::string bytes = program_.bytes();
    slot.wild = true;
    if (how % 4 == 0) return send(slot, bytes);
    const auto opcode = static_cast<ws::Opcode>(how / 4 % 16);
    send(slot, ws::encode_masked_frame(opcode, bytes, 0x12345678, how % 4 == 2, how % 4 != 3));
  }

  void narrow(Slot& slot) {
    const uint8_t how = program_.byte();
    if (!slot.client) return;
    if (how < 64) return slot.client->peer().limit_sends(how + 1);
    slot.client->peer().open_window(how == 255 ? kUnlimited : (how - 64) * 64);
  }
  void part(Slot& slot) {
    const uint8_t how = program_.byte();
    if (!slot.client) return;
    switch (how % 5) {
      case 0: return slot.client->peer().half_close();
      case 1: return slot.client->peer().reset();
      case 2: return slot.client->peer().vanish();
      case 3: slot.wild = true; return send(slot, close_frame(1000));
      default: return end(slot);
    }
  }
  void pass() {
    constexpr std::array<uint64_t, 8> kMs{1, 7, 100, 260, 2'100, 5'100, 31'000, 200'000};
    world_.pass(kMs[program_.byte() % kMs.size()]);
    ledger_.settled();
  }
  void settle() {
    world_.settle();
    ledger_.settled();
  }
  void drain() {
    if (program_.byte() != 42) return;
    drained_ = true;
    world_.ask(app::Shard::Request::kDrain);
  }

  void read(Slot& slot) {
    if (!slot.client || slot.reader == DeliveryLedger::kNobody) return;
    for (const std::string& text : slot.client->read()) {
      if (!slot.wild) ledger_.heard(slot.reader, text);
    }
  }
  void read_all() {
    for (Slot& slot : slots_) read(slot);
  }
  void end(Slot& slot) {
    if (slot.client) slot.client->peer().reset();
    slot.client.reset();
    slot.reader = DeliveryLedger::kNobody;
  }

  World world_;
  Program& program_;
  DeliveryLedger ledger_;
  std::array<Slot, kSlots> slots_;
  size_t publishers_ = 0;
  size_t chop_ = 0;
  bool drained_ = false;
};

// libFuzzer looks at the clock when its alarm comes, perhaps in the middle of a turn: it must see the real one.
struct sigaction on_libfuzzer_alarm;

void on_alarm(int signal, siginfo_t* info, void* context) {
  const InHarness inside;
  on_libfuzzer_alarm.sa_sigaction(signal, info, context);
}

void guard_alarm() {
  static const bool once = [] {
    sigaction(SIGALRM, nullptr, &on_libfuzzer_alarm);
    if ((on_libfuzzer_alarm.sa_flags & SA_SIGINFO) == 0) return true;
    struct sigaction guarded = on_libfuzzer_alarm;
    guarded.sa_sigaction = on_alarm;
    sigaction(SIGALRM, &guarded, nullptr);
    return true;
  }();
  static_cast<void>(once);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  guard_alarm();
  Program program(data, size);
  const uint32_t shards = program.byte() % 3 + 1;
  config::Settings settings = world_settings(shards);
  const uint8_t seed = program.byte();
  if ((seed & 1) != 0) settings.limits.mailbox_slots = 8;
  for (hub::AppSettings& app : settings.apps) {
    app.client_events_on_public = true;
    app.client_events_on_encrypted = true;
    app.require_authorization = (seed & 2) != 0;
  }
  Run(settings, seed, program).run();
  return 0;
}
