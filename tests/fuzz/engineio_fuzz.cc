// Engine.IO sessions by long-polling, their upgrades and moves, on two shards: bodies and requests in any order. Every
// request is answered once, in packets that a client can take or by a refusal, and in the end nothing is left.
// The first byte chooses options; then commands follow, each a byte and what it needs.
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/input.h"
#include "fuzz/require.h"
#include "socketio/payload.h"
#include "unit/socketio/packet_check.h"
#include "unit/socketio/poller.h"

namespace {

using namespace kilat;
using namespace kilat::socketio;
using namespace kilat::socketio::testing;
using kilat::testing::FuzzInput;
using kilat::testing::require;

constexpr std::string_view kBodies[] = {"40",
                                        "41",
                                        "40/custom,",
                                        "40/nope,",
                                        "3",
                                        "1",
                                        "4",
                                        "5",
                                        "6",
                                        "2",
                                        "7",
                                        "b",
                                        "bAQID",
                                        R"(421["subscribe","c"])",
                                        R"(42["subscribe","c"])",
                                        R"(451-["x",{"_placeholder":true,"num":0}])",
                                        R"(42["unsubscribe","c"])"};
constexpr std::string_view kWords[] = {"2probe",
                                       "5",
                                       "2",
                                       "3",
                                       "6",
                                       "1",
                                       "",
                                       "40",
                                       R"(421["subscribe","c"])",
                                       R"(451-["x",{"_placeholder":true,"num":0}])",
                                       "bAQID",
                                       "41"};
constexpr std::string_view kMethods[] = {"GET", "POST", "PUT", "OPTIONS", "HEAD", "DELETE"};
constexpr std::string_view kQueries[] = {
    "EIO=4&transport=polling",      "EIO=4&transport=websocket",   "EIO=3&transport=polling",       "transport=polling",
    "EIO=4&transport=polling&sid=", "EIO=4&transport=polling&j=1", "EIO=4&transport=polling&b64=1", ""};

/// One client with what it has open.
struct Peer {
  std::unique_ptr<Poller> poller;
  std::vector<World::Sent> open;  ///< requests without an answer
  Client* socket = nullptr;
  PacketCheck check;
  std::string pid;
};

class Run {
 public:
  Run(const World::Setup& setup, FuzzInput& input) : world_(2, setup), input_(input) {}

  void run() {
    for (int turn = 0; turn < 64 && !input_.empty(); ++turn) {
      Peer& peer = peers_[input_.byte() % peers_.size()];
      if (!peer.poller) begin(peer);
      step(peer);
      for (Peer& each : peers_) read(each);
    }
    for (Peer& peer : peers_) {
      if (peer.socket != nullptr) peer.socket->drop();
    }
    // Nobody says anything more.
    for (int i = 0; i < 200; ++i) world_.pass(1'000);
    for (Peer& peer : peers_) read(peer);
    for (const Peer& peer : peers_) require(peer.open.empty());
    require(world_.sessions() == 0 && world_.sockets() == 0 && world_.admitted() == 0);
    require(world_.channels_left() == 0);
  }

 private:
  void begin(Peer& peer) {
    peer.poller = std::make_unique<Poller>(world_, input_.byte(), (input_.byte() & 1) != 0 ? "&b64=1" : "");
    peer.check = PacketCheck();
    peer.socket = nullptr;
    require(peer.poller->sid().size() == 20);
  }

  void step(Peer& peer) {
    Poller& poller = *peer.poller;
    const uint8_t what = input_.byte();
    poller.arrive_at(what >> 7);
    switch (what % 16) {
      case 0:
      case 1: return keep(peer, poller.send("GET"));
      case 2: return keep(peer, poller.send("POST", input_.pick(kBodies)));
      case 3: {
        std::string body(input_.pick(kBodies));
        for (int count = input_.byte() % 4; count > 0; --count) (body += kPacketSeparator) += input_.pick(kBodies);
        return keep(peer, poller.send("POST", body));
      }
      case 4: return keep(peer, poller.send("POST", input_.text()));
      case 5: return keep(peer, poller.send("POST", "40{\"pid\":\"" + peer.pid + "\"}"));
      case 6:
        if (!peer.open.empty()) {
          world_.lose(peer.open.back(), (what & 64) != 0);
          // It may still be answered; nobody would hear it.
          peer.open.pop_back();
        }
        return;
      case 7: {
        Client* socket = world_.open_upgrade(poller.sid(), what >> 7);
        if (socket == nullptr) return;
        if (peer.socket != nullptr && !peer.socket->finished() && !peer.socket->gone()) return check_refused(*socket);
        peer.socket = socket;
        return;
      }
      case 8:
      case 9:
        if (peer.socket != nullptr) peer.socket->say(input_.pick(kWords));
        return;
      case 10:
        if (peer.socket != nullptr) peer.socket->say(input_.text());
        return;
      case 11:
        if (peer.socket != nullptr) peer.socket->say_binary(input_.text());
        return;
      case 12:
        if (peer.socket != nullptr) peer.socket->drop();
        return;
      case 13: {
        const std::string_view method = input_.pick(kMethods);
        std::string query(input_.pick(kQueries));
        if ((what & 64) != 0) query += "&sid=" + poller.sid();
        const World::Sent sent = world_.send(what >> 7, method, query);
        return keep(peer, sent);
      }
      case 14: return world_.publish("c", "m", (what & 64) != 0 ? "{\"a\":1}" : "\"" + std::string(600, 'x') + "\"");
      default: return world_.pass(uint64_t{input_.byte()} * 150);
    }
  }

  void keep(Peer& peer, const World::Sent& sent) { peer.open.push_back(sent); }

  static void check_refused(Client& client) {
    client.read();
    require(client.finished() == Reason::kEioUpgradeRefused);
  }

  void read(Peer& peer) {
    for (size_t i = 0; i < peer.open.size();) {
      const std::optional<http::Response> response = world_.answer(peer.open[i]);
      if (!response) {
        ++i;
        continue;
      }
      peer.open.erase(peer.open.begin() + static_cast<std::ptrdiff_t>(i));
      require(response->status == 200 || response->status == 400 || response->status == 413 || response->status == 500);
      if (response->status != 200) require(response->reason != Reason::kNone);
      if (response->status != 200 || response->body == "ok") continue;
      PayloadReader packets(response->body);
      while (const auto packet = packets.next()) require(*packet == "1" || peer.check.take(*packet));
      note_pid(peer, response->body);
    }
    if (peer.socket == nullptr || peer.socket->gone()) return;
    const Log log = peer.socket->read();
    for (size_t i = 0; i < log.size(); ++i) {
      require(!log[i].starts_with("<broken"));
      if (log[i].starts_with("<close")) require(i + 1 == log.size() && peer.socket->finished());
      if (!log[i].starts_with('<')) require(peer.check.take(log[i]));
      note_pid(peer, log[i]);
    }
  }
  void note_pid(Peer& peer, std::string_view text) {
    // The other one tries to get it.
    const size_t at = text.find(R"("pid":")");
    if (at != std::string_view::npos) peers_[&peer == &peers_[0] ? 1 : 0].pid = text.substr(at + 7, 20);
  }

  World world_;
  FuzzInput& input_;
  std::array<Peer, 2> peers_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  FuzzInput input(data, size);
  const uint8_t choice = input.byte();
  World::Setup setup;
  setup.options.recovery_ms = (choice & 1) != 0 ? 5'000 : 0;
  setup.options.message_bytes_max = (choice & 2) != 0 ? 40 : 10'000;
  setup.options.http_compression = false;
  setup.options.upgrades = (choice & 4) == 0;
  setup.options.connect_timeout_ms = (choice & 8) != 0 ? 1'000 : 45'000;
  setup.limits.hard_bytes = (choice & 16) != 0 ? 1'000 : 1 << 20;
  setup.options.ping_interval_ms = (choice & 32) != 0 ? 300 : 25'000;
  Run(setup, input).run();
  return 0;
}
