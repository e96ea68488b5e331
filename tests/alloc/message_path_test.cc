// What the server takes from the heap for a message: real shards on threads of their own, real clients over loopback.
// Every shard listens on a port of its own, so that a test decides where a connection lives. Only the shards' threads
// are counted. After a warm-up that makes every pool and vector as large as it gets, the numbers are exact:
//
//   an event     one Publication and one frame for each wire format that has a reader, however many readers
//   a delivery   nothing
//   a ping       nothing (a WebSocket ping with a payload: the frame that carries it back)
//   an idle turn nothing
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "alloc/counting_new.h"
#include "app/shard.h"
#include "net/listener.h"
#include "unit/app/server_test.h"
#include "ws/deflate.h"

namespace kilat::app::testing {
namespace {

constexpr size_t kReaders = 24;
constexpr uint64_t kSingles = 40;  ///< events one by one, each awaited
constexpr uint64_t kBursts = 10;   ///< then several in one piece
constexpr uint64_t kBurst = 16;
constexpr uint64_t kWarmUpBurst = 100;  ///< more frames at once than are ever queued afterwards
constexpr std::string_view kDeflateOffer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

/// Shards without a Server around them: each on a port of its own.
class Shards {
 public:
  explicit Shards(config::Settings with) : common_(std::move(with), with.server.shards) {
    for (uint32_t i = 0; i < common_.shards; ++i) {
      const Result<int> fd = net::listen_on("127.0.0.1", 0, false);
      if (!fd) std::abort();
      ports_.push_back(net::bound_port(*fd));
      shards_.push_back(std::make_unique<Shard>(common_, i));
      shards_.back()->listen(*fd);
    }
    for (const auto& shard : shards_) threads_.emplace_back([&shard = *shard] { shard.run(); });
  }
  ~Shards() {
    for (const auto& shard : shards_) shard->ask(Shard::Request::kStop);
    for (std::thread& thread : threads_) thread.join();
  }
  Shards(const Shards&) = delete;
  Shards& operator=(const Shards&) = delete;

  uint16_t port(uint32_t shard) const { return ports_[shard]; }
  /// Makes every shard turn once, for nothing.
  void wake() {
    for (const auto& shard : shards_) shard->ask(Shard::Request::kNone);
  }
  /// A public channel whose home is `home`.
  std::string channel_at(uint32_t home, std::string_view prefix) const {
    for (int i = 0;; ++i) {
      std::string name = std::string(prefix) + std::to_string(i);
      if (common_.shards == 1 || hub::home_of(0, name, common_.shards) == home) return name;
    }
  }

 private:
  Common common_;
  std::vector<uint16_t> ports_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::thread> threads_;
};

/// A subscribed client that reads bytes, not messages: what must come is known.
Socket open_client(uint16_t port, std::string_view channel, bool deflated) {
  Socket socket(port);
  socket.send(upgrade_request("/app/app-key?protocol=7", deflated ? kDeflateOffer : ""));
  EXPECT_EQ(socket.until("\r\n\r\n").find("permessage-deflate") != std::string::npos, deflated);
  EXPECT_FALSE(socket.until("connection_established").empty());
  socket.send(subscribe_message(channel));
  EXPECT_FALSE(socket.until("subscription_succeeded").empty());
  EXPECT_FALSE(socket.until(R"("data":"{}"})").empty());
  return socket;
}

std::string frame_of(std::string_view json, bool deflated) {
  std::string payload(json);
  if (deflated) {
    payload.clear();
    ws::Deflater deflater;
    EXPECT_TRUE(deflater.deflate(json, payload));
  }
  char header[ws::kFrameHeaderMax];
  const size_t size = ws::encode_frame_header(header, ws::Opcode::kText, payload.size(), deflated);
  return std::string(header, size) + payload;
}

std::string repeated(std::string_view bytes, uint64_t count) {
  std::string all;
  for (uint64_t i = 0; i < count; ++i) all += bytes;
  return all;
}

/// A client and the frame that each event brings it.
struct Listening {
  Socket socket;
  std::string frame;
};

void expect_frames(std::vector<Listening>& readers, uint64_t count) {
  for (Listening& reader : readers) {
    ASSERT_EQ(reader.socket.take(count * reader.frame.size()), repeated(reader.frame, count));
  }
}

void ask_pongs(Socket& client, uint64_t count, std::string_view ping, std::string_view pong) {
  for (uint64_t i = 0; i < count; ++i) {
    ASSERT_TRUE(client.send(ping));
    ASSERT_EQ(client.take(pong.size()), pong);
  }
}

struct AllocationTest : ::testing::Test {
  AllocationTest() { alloc::count_this_thread(false); }

  /// What the shards allocate while `work` runs.
  template <typename Work>
  static uint64_t counted(Work&& work) {
    const uint64_t before = alloc::allocations();
    work();
    return alloc::allocations() - before;
  }
};

config::Settings settings_for(uint32_t shards, hub::Compression compression) {
  config::Settings with = settings(shards);
  with.apps[0].client_events_on_public = true;
  with.apps[0].compression = compression;
  return with;
}

TEST_F(AllocationTest, Counter_SeesCountedThreadsOnly) {
  const auto allocate_often = [](bool counted) {
    alloc::count_this_thread(counted);
    for (int i = 0; i < 1'000; ++i) ::operator delete(::operator new(100));
  };
  EXPECT_GE(counted([&] { std::thread(allocate_often, true).join(); }), 1'000U);
  EXPECT_LT(counted([&] { std::thread(allocate_often, false).join(); }), 10U);
}

// --- client events

enum class Wire { kPlain, kDeflated, kBoth };

/// Where everything lives. The sender is on shard 0.
struct Layout {
  const char* name;
  uint32_t shards;
  uint32_t home;
  std::vector<uint32_t> readers;
  Wire wire;

  /// Whether no two shards can need a frame at the same moment. The sender reads the channel as well.
  bool encodes_once() const { return home == 0 || std::ranges::count(readers, 0U) == std::ssize(readers); }
};
std::ostream& operator<<(std::ostream& out, const Layout& layout) {
  return out << layout.name;
}

struct ClientEvents : AllocationTest, ::testing::WithParamInterface<Layout> {};

TEST_P(ClientEvents, CostThePublicationAndItsFrames) {
  const Layout& layout = GetParam();
  Shards shards(settings_for(layout.shards, hub::Compression::kShared));
  const std::string channel = shards.channel_at(layout.home, "room-");
  const std::string json = R"({"event":"client-move","channel":)" + json_string(channel) + R"(,"data":{"text":")" +
                           std::string(150, 'x') + "\"}}";
  const std::string event = text_message(json);
  std::vector<Listening> readers;
  for (size_t i = 0; i < kReaders; ++i) {
    const bool deflated = layout.wire == Wire::kDeflated || (layout.wire == Wire::kBoth && i < kReaders / 2);
    const uint32_t shard = layout.readers[i % layout.readers.size()];
    readers.push_back({open_client(shards.port(shard), channel, deflated), frame_of(json, deflated)});
  }
  Socket sender = open_client(shards.port(0), channel, layout.wire == Wire::kDeflated);
  const std::string pong = frame_of(kPong, false);

  const auto publish = [&](uint64_t times, uint64_t burst) {
    for (uint64_t i = 0; i < times; ++i) {
      ASSERT_TRUE(sender.send(repeated(event, burst)));
      expect_frames(readers, burst);
    }
    // The sender's shard delivers, too, though not to the sender: its next answer comes after that.
    ask_pongs(sender, 1, text_message(kPing), pong);
  };
  publish(kSingles, 1);
  publish(4, kWarmUpBurst);
  publish(kSingles, 1);
  const uint64_t spent = counted([&] {
    publish(kSingles, 1);
    publish(kBursts, kBurst);
  });

  const uint64_t events = kSingles + kBursts * kBurst;
  const uint64_t formats = layout.wire == Wire::kBoth ? 2 : 1;
  if (layout.encodes_once()) {
    EXPECT_EQ(spent, events * (1 + formats));
  } else {
    // Two shards may encode at the same moment (Publication::frame); one of the frames is then dropped.
    EXPECT_GE(spent, events * (1 + formats));
    EXPECT_LE(spent, events * (1 + 2 * formats));
  }
}

INSTANTIATE_TEST_SUITE_P(Layouts, ClientEvents,
                         ::testing::Values(Layout{"OneShard", 1, 0, {0}, Wire::kPlain},
                                           Layout{"OneShardDeflated", 1, 0, {0}, Wire::kDeflated},
                                           Layout{"OneShardBothFormats", 1, 0, {0}, Wire::kBoth},
                                           Layout{"HomeElsewhere", 2, 1, {0}, Wire::kPlain},
                                           Layout{"ReadersElsewhere", 2, 0, {1}, Wire::kPlain},
                                           Layout{"AllElsewhere", 2, 1, {1}, Wire::kDeflated},
                                           Layout{"ReadersOnBothShards", 2, 1, {0, 1}, Wire::kBoth}),
                         [](const auto& layout) { return std::string(layout.param.name); });

// --- events of a backend

/// Requests of the kind that is measured; a multiple of what fits into a block of any deque on the way.
constexpr uint64_t kRequests = 120;
/// The most that one signed request for one channel costs besides the frame for its readers: its own texts, the text
/// that is signed, the event that was read from it, the Publication, the answer. One more where the home is elsewhere.
constexpr uint64_t kRequestAllocationsMax = 16;

struct BackendEvents : AllocationTest, ::testing::WithParamInterface<Layout> {
  static void publish(Socket& backend, std::string_view request, std::vector<Listening>& readers, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
      ASSERT_TRUE(backend.send(request));
      ASSERT_EQ(read_answer(backend).status, 200);
      expect_frames(readers, 1);
    }
  }
  /// The least of several rounds: once a second the date of the answers is written anew.
  static uint64_t least(Socket& backend, std::string_view request, std::vector<Listening>& readers) {
    uint64_t least = UINT64_MAX;
    for (int round = 0; round < 5; ++round) {
      least = std::min(least, counted([&] { publish(backend, request, readers, kRequests); }));
    }
    return least;
  }
};

TEST_P(BackendEvents, ReadersCostOneFrameAnEvent) {
  const Layout& layout = GetParam();
  Shards shards(settings_for(layout.shards, hub::Compression::kShared));
  const std::string channel = shards.channel_at(layout.home, "news-");
  const std::string silent = shards.channel_at(layout.home, "hush-");
  const std::string data(150, 'x');
  const bool deflated = layout.wire == Wire::kDeflated;
  std::vector<Listening> readers;
  std::vector<Listening> nobody;
  for (size_t i = 0; i < kReaders; ++i) {
    readers.push_back({open_client(shards.port(layout.readers[0]), channel, deflated),
                       frame_of(event_frame(channel, data), deflated)});
  }
  Socket backend(shards.port(0));
  const std::string request = event_request(channel, data);
  // The warm-up: singly, then many in one piece, which fills the outboxes' pools.
  publish(backend, request, readers, kRequests);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(backend.send(repeated(request, kWarmUpBurst)));
    for (uint64_t answer = 0; answer < kWarmUpBurst; ++answer) ASSERT_EQ(read_answer(backend).status, 200);
    expect_frames(readers, kWarmUpBurst);
  }
  publish(backend, request, readers, kRequests);

  const uint64_t unheard = least(backend, event_request(silent, data), nobody);
  const uint64_t heard = least(backend, request, readers);
  EXPECT_EQ(heard, unheard + kRequests);
  EXPECT_LE(unheard, kRequests * kRequestAllocationsMax);
  RecordProperty("allocations_of_a_request", std::to_string(static_cast<double>(unheard) / kRequests));
}

INSTANTIATE_TEST_SUITE_P(Layouts, BackendEvents,
                         ::testing::Values(Layout{"OneShard", 1, 0, {0}, Wire::kPlain},
                                           Layout{"OneShardDeflated", 1, 0, {0}, Wire::kDeflated},
                                           Layout{"HomeElsewhere", 2, 1, {0}, Wire::kPlain},
                                           Layout{"ReadersElsewhere", 2, 0, {1}, Wire::kDeflated},
                                           Layout{"AllElsewhere", 2, 1, {1}, Wire::kPlain}),
                         [](const auto& layout) { return std::string(layout.param.name); });

// --- silence

struct Quiet : AllocationTest {};

TEST_F(Quiet, PingsOfClients_CostNothing) {
  Shards shards(settings_for(1, hub::Compression::kOff));
  Socket client = open_client(shards.port(0), "c", false);
  const std::string event = text_message(kPing);
  const std::string event_pong = frame_of(kPong, false);
  const std::string control = ws::encode_masked_frame(ws::Opcode::kPing, "payload", 7);
  const std::string control_pong = ws::encode_frame(ws::Opcode::kPong, "payload");
  ask_pongs(client, 50, event, event_pong);
  ask_pongs(client, 50, control, control_pong);
  EXPECT_EQ(counted([&] { ask_pongs(client, 100, event, event_pong); }), 0U);
  EXPECT_EQ(counted([&] { ask_pongs(client, 100, control, control_pong); }), 100U);
}

TEST_F(Quiet, PingsOfTheServer_CostNothing) {
  config::Settings with = settings_for(1, hub::Compression::kOff);
  with.apps[0].activity_timeout_s = 1;
  Shards shards(with);
  Socket client = open_client(shards.port(0), "c", false);
  ask_pongs(client, 50, text_message(kPing), frame_of(kPong, false));
  const std::string ping = ws::encode_frame(ws::Opcode::kPing, {});
  const auto be_pinged = [&] {
    ASSERT_EQ(client.take(ping.size()), ping);
    ASSERT_TRUE(client.send(ws::encode_masked_frame(ws::Opcode::kPong, {}, 7)));
  };
  be_pinged();
  EXPECT_EQ(counted(be_pinged), 0U);
}

// Long enough for the sweeps that happen a few times a second.
TEST_F(Quiet, IdleTurns_CostNothing) {
  Shards shards(settings_for(2, hub::Compression::kOff));
  Socket first = open_client(shards.port(0), "c", false);
  Socket second = open_client(shards.port(1), "c", false);
  const std::string pong = frame_of(kPong, false);
  const auto idle = [&] {
    for (int i = 0; i < 350; ++i) {
      shards.wake();
      ::usleep(1'000);
    }
    // Answers tell that the shard has turned.
    ask_pongs(first, 50, text_message(kPing), pong);
    ask_pongs(second, 50, text_message(kPing), pong);
  };
  idle();
  EXPECT_EQ(counted(idle), 0U);
}

}  // namespace
}  // namespace kilat::app::testing
