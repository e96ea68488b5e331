// Limits that hold before a connection belongs to an app, and the memory of what is unfinished.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/app/server_test.h"

namespace kilat::app {
namespace {

using namespace testing;

struct LimitsTest : ServerTest {};

// Asks until the answer is what was wanted: what has ended is noticed by its shard a little later.
bool eventually(const auto& probe) {
  for (const uint64_t until = monotonic_ms() + kPatienceMs; monotonic_ms() < until;) {
    if (probe()) return true;
    ::usleep(20'000);
  }
  return false;
}

bool answers(uint16_t port) {
  Socket socket(port);
  socket.send(http_get("/up"));
  return read_answer(socket).status == 200;
}

TEST_P(LimitsTest, HttpConnectionsOverTheLimit_AreClosedAtOnceAndWebSocketsDoNotCount) {
  config::Settings with = settings(shards());
  with.limits.http_connections_max = 3;
  start(with);
  std::vector<Socket> idle;
  for (int i = 0; i < 3; ++i) {
    idle.emplace_back(port());
    // Answered, so it is known to be counted.
    idle.back().send(http_get("/up"));
    EXPECT_EQ(read_answer(idle.back()).status, 200);
  }
  Socket refused(port());
  EXPECT_TRUE(refused.wait_for_end());
  EXPECT_EQ(refused.in(), "");

  idle.pop_back();
  std::vector<WsClient> clients;
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(eventually([this] { return answers(port()); }));
    // The place of that request may not be free yet.
    ASSERT_TRUE(eventually([&] {
      WsClient client(port());
      if (client.switching().empty() || client.greet().empty()) return false;
      clients.push_back(std::move(client));
      return true;
    }));
  }
  ASSERT_TRUE(eventually([&] {
    idle.emplace_back(port());
    idle.back().send(http_get("/up"));
    if (read_answer(idle.back()).status == 200) return true;
    idle.pop_back();
    return false;
  }));
  EXPECT_FALSE(answers(port())) << "the two that were there and the new one";
}

TEST_P(LimitsTest, NewConnectionsOfAnApp_HaveARate) {
  config::Settings with = settings(shards());
  with.apps[0].connects_per_second = 1;
  with.apps.push_back(with.apps[0]);
  with.apps[1].id = "4";
  with.apps[1].key = "free-key";
  with.apps[1].connects_per_second = 0;
  start(with);
  int refused = 0;
  // Each second lets one in; so of the first few hundred most are refused, however slow the machine is.
  for (int i = 0; i < 500 && refused == 0; ++i) {
    WsClient client(port());
    const std::string first = client.next();
    if (first.find("connection_established") != std::string::npos) continue;
    EXPECT_THAT(first, HasSubstr("app_connects_limited"));
    EXPECT_EQ(client.next(), "<close 4100>");
    ++refused;
  }
  EXPECT_EQ(refused, 1);
  for (int i = 0; i < 5; ++i) {
    WsClient other(port(), {}, "/app/free-key?protocol=7");
    EXPECT_NE(other.greet(), "");
  }
  EXPECT_TRUE(eventually([this] { return !WsClient(port()).greet().empty(); })) << "the next second";
}

TEST_P(LimitsTest, UnfinishedMessagesOverTheBudget_EndTheLargestWithReason) {
  config::Settings with = settings(1);
  with.limits.shard_budget_bytes = 1'000'000;
  with.limits.message_bytes_max = 600'000;
  start(with);
  const std::string large = text_message(std::string(500'000, ' '));
  WsClient bystander(port());
  EXPECT_NE(bystander.greet(), "");
  WsClient first(port());
  EXPECT_NE(first.greet(), "");
  first.send(large.substr(0, 450'000));
  WsClient second(port());
  EXPECT_NE(second.greet(), "");
  second.send(large.substr(0, 499'000));

  // One of them is closed, and the other may finish.
  std::string said = second.next(100);
  WsClient* closed = &second;
  WsClient* left = &first;
  ASSERT_TRUE(eventually([&] {
    if (said != "<nothing>") return true;
    closed = closed == &second ? &first : &second;
    left = left == &first ? &second : &first;
    said = closed->next(100);
    return said != "<nothing>";
  }));
  EXPECT_THAT(said, HasSubstr("memory_budget"));
  EXPECT_EQ(closed->next(), "<close 4100>");
  left->send(large.substr(left == &first ? 450'000 : 499'000));
  EXPECT_THAT(left->next(), HasSubstr("Invalid message format")) << "spaces are no message, but one was taken";
  bystander.say(kPing);
  EXPECT_EQ(bystander.next(), kPong);
}

TEST_P(LimitsTest, UnfinishedBodiesOverTheBudget_EndTheLargest) {
  config::Settings with = settings(1);
  with.limits.shard_budget_bytes = 1'000'000;
  start(with);
  const std::string head = "POST /apps/3/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n";
  std::vector<Socket> senders;
  for (int i = 0; i < 4; ++i) {
    senders.emplace_back(port());
    // Those that are cut off may see it while they write.
    senders.back().send(head + std::string(400'000, ' '));
  }
  EXPECT_TRUE(eventually([&] {
    int ended = 0;
    for (Socket& sender : senders) {
      sender.fill(10);
      ended += sender.ended() ? 1 : 0;
    }
    return ended >= 2;
  }));
  EXPECT_TRUE(answers(port()));
}

KILAT_SERVER_TEST(LimitsTest);

}  // namespace
}  // namespace kilat::app
