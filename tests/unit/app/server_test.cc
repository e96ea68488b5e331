// The life of a whole server: start, drain, stop, and a stress from many threads that counts every message.
#include "app/server.h"

#include <atomic>
#include <random>
#include <thread>

#include "unit/app/server_test.h"

namespace kilat::app::testing {
namespace {

struct ServerLife : ServerTest {};
KILAT_SERVER_TEST(ServerLife);

TEST_P(ServerLife, PortInUse_IsRefusedWithTheAddress) {
  start();
  config::Settings with = settings(shards());
  with.server.port = port();
  const auto second = Server::start(with);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().detail, HasSubstr(std::to_string(port())));
}

TEST_P(ServerLife, Stop_EndsWithConnectionsOpen) {
  start();
  WsClient client(port());
  client.greet();
  Socket idle(port());
  server->stop();
  server->join();
  std::string last = client.next();
  while (last != "<end>" && last != "<nothing>") last = client.next();
  EXPECT_EQ(last, "<end>");
  const uint16_t was = port();
  server.reset();
  EXPECT_FALSE(Socket(was).connected());
}

TEST_P(ServerLife, DestructionWithoutStop_JoinsToo) {
  start();
  WsClient client(port());
  client.greet();
  server.reset();
}

TEST_P(ServerLife, Drain_SaysGoodbyeToAllInsideItsTime) {
  start();
  std::vector<std::unique_ptr<WsClient>> clients;
  for (int i = 0; i < 40; ++i) {
    clients.push_back(std::make_unique<WsClient>(port(), subscribe_message("c" + std::to_string(i))));
    ASSERT_FALSE(clients.back()->greet().empty());
    ASSERT_THAT(clients.back()->next(), HasSubstr("subscription_succeeded"));
  }
  const uint64_t begun = monotonic_ms();
  server->drain();
  for (const auto& client : clients) {
    EXPECT_THAT(client->next(), HasSubstr("server_draining"));
    EXPECT_EQ(client->next(), "<close 4200>");
    client->send(ws::encode_masked_frame(ws::Opcode::kClose, "\x10\x68", 1));
    client->socket().close();
  }
  server->join();
  EXPECT_LT(monotonic_ms() - begun, 5'000U);
}

TEST_P(ServerLife, DrainWithoutConnections_EndsSoon) {
  start();
  server->drain();
  server->join();
}

TEST_P(ServerLife, DrainWithSilentConnections_EndsAtItsTime) {
  start();
  WsClient client(port());
  client.greet();
  Socket http(port());
  http.send("GET / HT");
  const uint64_t begun = monotonic_ms();
  server->drain();
  server->join();
  EXPECT_LT(monotonic_ms() - begun, 5'000U);
}

TEST_P(ServerLife, StopUnderLoad_EndsCleanly) {
  const uint16_t at = start().port();
  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      while (!over) {
        WsClient client(at, subscribe_message("c"));
        Socket http(at);
        for (int n = 0; n < 20 && !over; ++n) http.send(event_request("c" + std::to_string(i % 2), "x"));
        client.next(5);
      }
    });
  }
  ::usleep(300'000);
  server->stop();
  server->join();
  server.reset();  // also what waits to be accepted ends now
  over = true;
  for (std::thread& thread : threads) thread.join();
}

// --- the stress

constexpr int kChannels = 6;
constexpr int kPublishers = 2;
constexpr int kEvents = 800;  ///< of each publisher, on each channel
constexpr int kReaders = 6;

std::string channel_name(int channel) {
  return "private-stress-" + std::to_string(channel);
}

std::string auth_for(const std::string& socket_id, const std::string& channel) {
  return "app-key:" + auth::hmac_sha256_hex("app-secret", socket_id + ":" + channel);
}

bool join_all(WsClient& client) {
  const std::string id = client.greet();
  for (int channel = 0; channel < kChannels; ++channel) {
    client.send(subscribe_message(channel_name(channel), auth_for(id, channel_name(channel))));
    // Events of the channels joined so far may come before the answer.
    std::string text = client.next();
    while (text.find("subscription_succeeded") == std::string::npos) {
      if (!text.starts_with('{') || text.find("pusher:error") != std::string::npos) return false;
      text = client.next();
    }
  }
  return true;
}

// Publishes over HTTP, pipelined; every answer must be 200.
void publish_by_http(uint16_t port, int publisher) {
  Socket socket(port);
  for (int number = 0; number < kEvents; ++number) {
    std::string burst;
    for (int channel = 0; channel < kChannels; ++channel) {
      burst += event_request(channel_name(channel), "h" + std::to_string(publisher) + ":" + std::to_string(number));
    }
    ASSERT_TRUE(socket.send(burst));
    for (int channel = 0; channel < kChannels; ++channel) ASSERT_EQ(read_answer(socket).status, 200);
  }
}

void publish_by_client_events(uint16_t port, int publisher) {
  WsClient client(port);
  ASSERT_TRUE(join_all(client));
  for (int number = 0; number < kEvents; ++number) {
    for (int channel = 0; channel < kChannels; ++channel) {
      ASSERT_TRUE(client.say(R"({"event":"client-e","channel":")" + channel_name(channel) + R"(","data":"w)" +
                             std::to_string(publisher) + ":" + std::to_string(number) + "\"}"));
    }
    while (client.next(0) != "<nothing>") {
    }
  }
  // The last ones must have arrived before the connection goes.
  client.say(kPing);
  for (std::string text = client.next(); text != kPong; text = client.next()) ASSERT_NE(text, "<end>");
}

// Every channel must bring each publisher's numbers from 0 on, without a gap and without a repeat.
void read_everything(WsClient& client) {
  std::vector<int> next(static_cast<size_t>(kChannels) * 2 * kPublishers);
  for (int left = kChannels * 2 * kPublishers * kEvents; left > 0; --left) {
    const std::string text = client.next();
    const size_t channel_at = text.find("stress-");
    const size_t data_at = text.find(R"("data":")");
    ASSERT_TRUE(channel_at != std::string::npos && data_at != std::string::npos) << text << ", " << left << " missing";
    const int channel = text[channel_at + 7] - '0';
    const int publisher = (text[data_at + 8] == 'w' ? kPublishers : 0) + text[data_at + 9] - '0';
    const int number = std::stoi(text.substr(data_at + 11));
    int& expected = next[static_cast<size_t>(channel * 2 * kPublishers + publisher)];
    ASSERT_EQ(number, expected++) << text;
  }
  client.say(kPing);
  EXPECT_EQ(client.next(), kPong);
}

// Comes and goes, leaving in every way there is.
void churn(uint16_t port, unsigned seed, const std::atomic<bool>& over) {
  std::minstd_rand random(seed);
  while (!over) {
    WsClient client(port, subscribe_message("cache-" + std::to_string(random() % 3)));
    const std::string id = client.greet();
    const std::string channel = channel_name(static_cast<int>(random() % kChannels));
    client.send(subscribe_message(channel, auth_for(id, channel)));
    for (unsigned i = random() % 20; i > 0; --i) client.next(1);
    if (random() % 2 == 0) {
      client.say(R"({"event":"pusher:unsubscribe","data":{"channel":")" + channel + "\"}}");
    }
    switch (random() % 3) {
      case 0: client.socket().reset(); break;
      case 1: client.send(ws::encode_masked_frame(ws::Opcode::kClose, "\x03\xe8", 1)); break;
      default: break;
    }
  }
}

TEST_P(ServerLife, Stress_LosesNothingRepeatsNothingAndKeepsTheOrder) {
  config::Settings with = settings(shards());
  with.limits.outbox_bytes_max = 64 * 1024 * 1024;
  with.limits.outbox_soft_bytes = 64 * 1024 * 1024;
  start(with);
  std::vector<std::unique_ptr<WsClient>> clients;
  for (int i = 0; i < kReaders; ++i) {
    clients.push_back(std::make_unique<WsClient>(port()));
    ASSERT_TRUE(join_all(*clients.back()));
  }
  std::atomic<bool> over{false};
  std::vector<std::thread> churners;
  for (unsigned i = 0; i < 2; ++i) churners.emplace_back([&, i] { churn(port(), 100 + i, over); });
  std::vector<std::thread> threads;
  for (const auto& client : clients) threads.emplace_back([&client = *client] { read_everything(client); });
  for (int i = 0; i < kPublishers; ++i) {
    threads.emplace_back([&, i] { publish_by_http(port(), i); });
    threads.emplace_back([&, i] { publish_by_client_events(port(), i); });
  }
  for (std::thread& thread : threads) thread.join();
  over = true;
  for (std::thread& thread : churners) thread.join();
}

}  // namespace
}  // namespace kilat::app::testing
