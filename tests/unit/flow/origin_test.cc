// What an event has that no rule looks at: it stays with the one event that is left, and not with what was made of
// many.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "flow/event_data.h"
#include "unit/flow/lab.h"

namespace kilat::flow {
namespace {

const Origin kClient{.from_client = true, .exclude = {7, 8}, .user_id = "alice", .packet = "the packet"};

struct Origins {
  explicit Origins(const std::vector<std::string>& texts) : lab(texts) {}

  Fate send(std::string_view channel, std::string_view data, const Origin& origin) {
    Event event = lab.make(channel, "e", data);
    event.origin = origin;
    return lab.engine.on_event(event, 0, out);
  }
  /// What was sent up to a second later.
  std::vector<Emission> take() {
    lab.now_ms += 1'000;
    lab.engine.advance(lab.now_ms + Lab::kMonoStart, lab.unix_ms(), out);
    return std::exchange(out, {});
  }

  Lab lab;
  std::vector<Emission> out;
};

void expect_client(const Emission& emission) {
  EXPECT_TRUE(emission.origin.from_client);
  EXPECT_EQ(emission.origin.exclude, kClient.exclude);
  EXPECT_EQ(emission.origin.user_id, kClient.user_id);
  EXPECT_EQ(emission.origin.packet, kClient.packet);
}

TEST(Origin, OfTheOneEventThatIsLeft_StaysWithIt) {
  for (const char* rule :
       {"a throttle=100ms edges=trailing", "a conflate=100ms", "a conflate=100ms to=b as=other", "a sample=1 to=b"}) {
    SCOPED_TRACE(rule);
    Origins origins({rule});
    origins.send("a", "1", kClient);
    const std::vector<Emission> out = origins.take();
    ASSERT_EQ(out.size(), 1U);
    expect_client(out[0]);
  }
}

TEST(Origin, IsThatOfTheNewest) {
  for (const char* rule : {"a throttle=100ms edges=trailing", "a conflate=100ms"}) {
    SCOPED_TRACE(rule);
    Origins origins({rule});
    origins.send("a", "1", kClient);
    origins.send("a", "2", {});
    std::vector<Emission> out = origins.take();
    ASSERT_EQ(out.size(), 1U);
    EXPECT_FALSE(out[0].origin.from_client);
    EXPECT_EQ(out[0].origin.exclude, Origin{}.exclude);
    EXPECT_EQ(out[0].origin.user_id + out[0].origin.packet, "");
    origins.send("a", "1", {});
    origins.send("a", "2", kClient);
    out = origins.take();
    ASSERT_EQ(out.size(), 1U);
    expect_client(out[0]);
  }
}

TEST(Origin, OfSeveralEventsInOne_SaysOnlyThatAClientsIsAmongThem) {
  for (const char* rule : {"a batch=100ms", "a conflate=100ms send=batch key=/k", "a aggregate=100ms value=/v to=b"}) {
    SCOPED_TRACE(rule);
    Origins origins({rule});
    for (const bool client : {true, false}) {
      origins.send("a", R"({"k":1,"v":1})", client ? kClient : Origin{});
      origins.send("a", R"({"k":2,"v":2})", {});
      const std::vector<Emission> out = origins.take();
      ASSERT_EQ(out.size(), 1U);
      EXPECT_EQ(out[0].origin.from_client, client);
      EXPECT_EQ(out[0].origin.exclude, Origin{}.exclude);
      EXPECT_EQ(out[0].origin.user_id + out[0].origin.packet, "");
    }
  }
}

TEST(Origin, IsCounted_AndGivenBack) {
  for (const char* rule : {"a throttle=100ms edges=trailing", "a conflate=100ms"}) {
    SCOPED_TRACE(rule);
    Origins origins({rule});
    origins.send("a", "1", {});
    const size_t bare = origins.lab.engine.bytes();
    origins.send("a", "1", kClient);
    EXPECT_EQ(origins.lab.engine.bytes(), bare + kClient.user_id.size() + kClient.packet.size());
    origins.send("a", "1", {});
    EXPECT_EQ(origins.lab.engine.bytes(), bare);
    for (int i = 0; i < 3; ++i) origins.take();
    origins.lab.expect_empty();
  }
}

TEST(Encrypted, EventsAreNotPutTogether) {
  Origins origins({"private-encrypted-a batch=100ms", "private-encrypted-b conflate=100ms send=batch",
                   "private-encrypted-c conflate=100ms", "private-encrypted-{x} aggregate=100ms value=/v to=figures"});
  EXPECT_EQ(origins.send("private-encrypted-a", R"({"v":1})", {}), Fate::kPass);
  EXPECT_EQ(origins.send("private-encrypted-b", R"({"v":1})", {}), Fate::kPass);
  EXPECT_EQ(origins.send("private-encrypted-c", R"({"v":1})", {}), Fate::kTaken);
  const std::vector<Emission> out = origins.take();
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].channel, "private-encrypted-c");
  EXPECT_EQ(origins.lab.counters(0).encrypted, 1U);
  EXPECT_EQ(origins.lab.counters(1).encrypted, 1U);
  EXPECT_EQ(origins.lab.counters(2).encrypted, 0U);
  EXPECT_EQ(origins.lab.counters(3).encrypted, 3U);
  origins.lab.expect_every_event_accounted();
}

TEST(Encrypted, NothingGoesToSuchAChannel) {
  EXPECT_FALSE(FlowRule::parse("a conflate=100ms to=private-encrypted-b"));
  // Not by a capture either.
  Origins origins({"a.{x} conflate=100ms to={x}"});
  EXPECT_EQ(origins.send("a.private-encrypted-b", "1", {}), Fate::kPass);
  EXPECT_TRUE(origins.take().empty());
  EXPECT_EQ(origins.lab.counters().encrypted, 1U);
  origins.lab.expect_every_event_accounted();
}

TEST(SharedData, ServesManyEnginesInTurn) {
  EventData shared;
  Engine a(rule_set({"a conflate=100ms key=/k send=batch"}), &shared);
  Engine b(rule_set({"a batch=100ms"}), &shared);
  std::vector<Emission> out;
  for (const char* data : {R"({"k":1})", R"({"k":2})"}) {
    for (Engine* engine : {&a, &b}) {
      engine->on_event({.channel = "a", .bare = "a", .event = "e", .data = data, .now_ms = 1'000}, 0, out);
    }
  }
  for (Engine* engine : {&a, &b}) engine->flush_all(1'000, 0, out);
  ASSERT_EQ(out.size(), 2U);
  for (const Emission& emission : out) EXPECT_EQ(emission.data, R"([{"k":1},{"k":2}])");
}

}  // namespace
}  // namespace kilat::flow
