#include "api/service.h"

#include <gmock/gmock.h>

#include "unit/api/api_world.h"

namespace kilat::api::testing {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct ServiceTest : ::testing::TestWithParam<uint32_t> {
  uint32_t shards() const { return GetParam(); }
  static void expect_refused(const Answer& answer, Reason reason) {
    const ReasonRow& row = reason_row(reason);
    EXPECT_EQ(reason_row(answer.reason).id, row.id);
    EXPECT_EQ(answer.status, row.http_status);
    EXPECT_THAT(answer.body, HasSubstr(R"("reason":")" + std::string(row.id) + "\""));
  }
};
INSTANTIATE_TEST_SUITE_P(Shards, ServiceTest, ::testing::Values(1u, 2u),
                         [](const auto& shards) { return std::to_string(shards.param); });

std::string event(std::string_view channel, std::string_view more = {}) {
  return R"({"name":"e","data":"d","channel":")" + std::string(channel) + "\"" + std::string(more) + "}";
}

TEST_P(ServiceTest, Event_ReachesItsReadersAndAnswersAnEmptyObject) {
  World world(shards());
  for (const uint32_t home : {0U, 1U}) {
    const std::string channel = world.name_at(home, "c");
    Reader& here = world.reader(0, channel);
    Reader& there = world.reader(1, channel);
    const Answer answer = world.post("/apps/3/events", event(channel));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "{}");
    EXPECT_EQ(answer.at_once, shards() == 1 || home == 0);
    EXPECT_THAT(here.read(), ElementsAre(channel + " e \"d\""));
    EXPECT_THAT(there.read(), ElementsAre(channel + " e \"d\""));
  }
}

TEST_P(ServiceTest, EventToSeveralChannels_ReachesEachOnce) {
  World world(shards());
  const std::string a = world.name_at(0, "a");
  const std::string b = world.name_at(1, "b");
  Reader& ra = world.reader(1, a);
  Reader& rb = world.reader(0, b);
  const Answer answer = world.post(
      "/apps/3/events", R"({"name":"e","data":"d","channels":[")" + a + R"(",")" + b + R"(",")" + a + R"("]})");
  EXPECT_EQ(answer.body, "{}");
  EXPECT_EQ(ra.read().size(), 1U);
  EXPECT_EQ(rb.read().size(), 1U);
}

TEST_P(ServiceTest, ExcludedSocket_DoesNotGetTheEvent) {
  World world(shards());
  const std::string channel = world.name_at(1, "c");
  Reader& a = world.reader(0, channel);
  Reader& b = world.reader(1, channel);
  world.post("/apps/3/events", event(channel, R"(,"socket_id":")" + b.socket_id().text() + "\""));
  EXPECT_EQ(a.read().size(), 1U);
  EXPECT_THAT(b.read(), IsEmpty());
  world.post("/apps/3/events", event(channel, R"(,"socket_id":"9.9")"));
  EXPECT_EQ(b.read().size(), 1U);
}

TEST_P(ServiceTest, EventWithInfo_TellsTheCounts) {
  World world(shards());
  const std::string plain = world.name_at(1, "c");
  const std::string presence = world.name_at(0, "presence-");
  world.reader(0, plain), world.reader(1, plain);
  world.reader(0, presence, "u"), world.reader(1, presence, "u");
  const Answer answer =
      world.post("/apps/3/events", R"({"name":"e","data":"d","info":"subscription_count,user_count","channels":[")" +
                                       presence + R"(",")" + plain + R"("]})");
  EXPECT_EQ(answer.body,
            R"({"channels":{")" + presence + R"(":{"user_count":1},")" + plain + R"(":{"subscription_count":2}}})");
}

TEST_P(ServiceTest, Batch_DeliversInOrderAndListsInfoPerEntry) {
  World world(shards());
  const std::string channel = world.name_at(1, "c");
  Reader& reader = world.reader(0, channel);
  const auto entry = [&](int number, std::string_view more) {
    return R"({"name":"e","data":")" + std::to_string(number) + R"(","channel":")" + channel + "\"" +
           std::string(more) + "}";
  };
  const Answer plain = world.post("/apps/3/batch_events", R"({"batch":[)" + entry(1, "") + "," + entry(2, "") + "]}");
  EXPECT_EQ(plain.body, "{}");
  EXPECT_THAT(reader.read(), ElementsAre(channel + " e \"1\"", channel + " e \"2\""));
  const Answer info = world.post("/apps/3/batch_events", R"({"batch":[)" + entry(1, R"(,"info":"subscription_count")") +
                                                             "," + entry(2, "") + "]}");
  EXPECT_EQ(info.body, R"({"batch":[{"subscription_count":1},{}]})");
  EXPECT_EQ(world.post("/apps/3/batch_events", R"({"batch":[]})").body, "{}");
}

TEST_P(ServiceTest, OneBadBatchEntry_DeliversNothing) {
  World world(shards());
  Reader& reader = world.reader(0, "c");
  expect_refused(world.post("/apps/3/batch_events", R"({"batch":[)" + event("c") + R"(,{"name":"e","data":"d"}]})"),
                 Reason::kApiChannelInvalid);
  EXPECT_THAT(reader.read(), IsEmpty());
}

TEST_P(ServiceTest, BadBodies_AreRefusedNeverFailed) {
  World world(shards());
  expect_refused(world.post("/apps/3/events", "{"), Reason::kApiBodyInvalid);
  expect_refused(world.post("/apps/3/events", "[]"), Reason::kApiBodyInvalid);
  expect_refused(world.post("/apps/3/events", ""), Reason::kApiBodyInvalid);
  expect_refused(world.post("/apps/3/batch_events", "{}"), Reason::kApiBodyInvalid);
  const std::string big(100 * 1024 + 1, 'x');
  expect_refused(world.post("/apps/3/events", R"({"name":"e","channel":"c","data":")" + big + "\"}"),
                 Reason::kApiDataTooBig);
}

TEST_P(ServiceTest, UnknownOrDisabledApp_IsRefused) {
  World world(shards());
  expect_refused(world.get("/apps/4/channels"), Reason::kApiAppUnknown);
  expect_refused(world.get("/apps//channels"), Reason::kApiAppUnknown);
  expect_refused(world.get("/apps/%zz/channels"), Reason::kApiAppUnknown);
  hub::AppSettings settings = app_settings();
  settings.enabled = false;
  World off(shards(), settings);
  expect_refused(off.get("/apps/3/channels"), Reason::kApiAppDisabled);
}

TEST_P(ServiceTest, UnsignedRequest_IsRefusedBeforeItsPathIsLookedAt) {
  World world(shards());
  const std::optional<Answer> answer = world.begin("GET", "/apps/3/nonsense", {}, 1);
  ASSERT_TRUE(answer);
  expect_refused(*answer, Reason::kApiKeyInvalid);
}

TEST_P(ServiceTest, UnknownPathsAndMethods_AreTold) {
  World world(shards());
  for (const char* path : {"/apps/3", "/apps/3/", "/apps/3/nonsense", "/apps/3/events/x", "/apps/3/channels/c/x",
                           "/apps/3/channels/c/users/x", "/apps/3/users/1", "/apps/3/a/b/c/d/e/f/g/h"}) {
    expect_refused(world.get(path), Reason::kHttpNotFound);
  }
  for (const char* path : {"/apps/3/events", "/apps/3/batch_events", "/apps/3/users/1/terminate_connections"}) {
    const Answer answer = world.get(path);
    expect_refused(answer, Reason::kHttpMethodNotAllowed);
    EXPECT_EQ(answer.header("Allow"), "POST, OPTIONS");
  }
  for (const char* path : {"/apps/3/channels", "/apps/3/channels/c", "/apps/3/channels/presence-c/users",
                           "/apps/3/connections", "/apps/3/tail"}) {
    const Answer answer = world.post(path, "{}");
    expect_refused(answer, Reason::kHttpMethodNotAllowed);
    EXPECT_EQ(answer.header("Allow"), "GET, HEAD, OPTIONS");
  }
}

TEST_P(ServiceTest, Channels_ListTheOccupiedOnesOfAllShards) {
  World world(shards());
  EXPECT_EQ(world.get("/apps/3/channels").body, R"({"channels":{}})");
  const std::string a = world.name_at(0, "a");
  const std::string b = world.name_at(1, "b");
  world.reader(0, a), world.reader(0, b);
  world.reader(0, "#server-to-user-1");
  world.post("/apps/3/events", event("cache-unread"));
  EXPECT_THAT(world.get("/apps/3/channels").body, AnyOf(R"({"channels":{")" + a + R"(":{},")" + b + R"(":{}}})",
                                                        R"({"channels":{")" + b + R"(":{},")" + a + R"(":{}}})"));
  EXPECT_EQ(world.get("/apps/3/channels", "filter_by_prefix=b").body, R"({"channels":{")" + b + R"(":{}}})");
  EXPECT_EQ(world.get("/apps/3/channels", "filter_by_prefix=zzz").body, R"({"channels":{}})");
}

TEST_P(ServiceTest, Channels_WithUserCountNeedThePresencePrefix) {
  World world(shards());
  world.reader(0, "presence-a", "1"), world.reader(1, "presence-a", "2"), world.reader(1, "presence-a", "1");
  expect_refused(world.get("/apps/3/channels", "info=user_count"), Reason::kApiInfoInvalid);
  expect_refused(world.get("/apps/3/channels", "filter_by_prefix=presence&info=user_count"), Reason::kApiInfoInvalid);
  EXPECT_EQ(world.get("/apps/3/channels", "filter_by_prefix=presence-&info=user_count").body,
            R"({"channels":{"presence-a":{"user_count":2}}})");
}

TEST_P(ServiceTest, Channel_TellsItsState) {
  World world(shards());
  EXPECT_EQ(world.get("/apps/3/channels/none").body, R"({"occupied":false})");
  for (const uint32_t home : {0U, 1U}) {
    const std::string channel = world.name_at(home, "cache-");
    world.reader(0, channel), world.reader(1, channel);
    const std::string path = "/apps/3/channels/" + channel;
    EXPECT_EQ(world.get(path).body, R"({"occupied":true})");
    EXPECT_EQ(world.get(path, "info=subscription_count,cache").body,
              R"({"occupied":true,"subscription_count":2,"cache":null})");
    world.post("/apps/3/events", event(channel));
    EXPECT_EQ(world.get(path, "info=cache").body, R"({"occupied":true,"cache":{"data":"d","ttl":3600}})");
    expect_refused(world.get(path, "info=user_count"), Reason::kApiInfoInvalid);
  }
  world.reader(1, "a=b@c");
  EXPECT_EQ(world.get("/apps/3/channels/a%3Db%40c").body, R"({"occupied":true})");
  expect_refused(world.get("/apps/3/channels/" + std::string(201, 'x')), Reason::kApiChannelInvalid);
  expect_refused(world.get("/apps/3/channels/%zz"), Reason::kApiChannelInvalid);
}

TEST_P(ServiceTest, Users_AreListedForPresenceAlone) {
  World world(shards());
  const std::string channel = world.name_at(1, "presence-");
  world.reader(0, channel, "1"), world.reader(1, channel, "2"), world.reader(1, channel, "1");
  EXPECT_EQ(world.get("/apps/3/channels/" + channel + "/users").body, R"({"users":[{"id":"1"},{"id":"2"}]})");
  EXPECT_EQ(world.get("/apps/3/channels/presence-empty/users").body, R"({"users":[]})");
  expect_refused(world.get("/apps/3/channels/c/users"), Reason::kApiNotPresence);
}

TEST_P(ServiceTest, Connections_AreCounted) {
  World world(shards());
  world.app().connections = 7;
  EXPECT_EQ(world.get("/apps/3/connections").body, R"({"connections":7})");
}

TEST_P(ServiceTest, Kicks_ReachAllConnectionsOfTheUser) {
  World world(shards());
  for (const auto& [what, reason] : {std::pair("terminate_connections", Reason::kTerminatedByApi),
                                     std::pair("force_reconnect", Reason::kForcedReconnect)}) {
    Reader& a = world.reader(0, "#server-to-user-u 1");
    Reader& b = world.reader(1, "#server-to-user-u 1");
    Reader& other = world.reader(1, "#server-to-user-u");
    const Answer answer = world.post(std::string("/apps/3/users/u%201/") + what, "{}");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "{}");
    EXPECT_EQ(a.kicked, reason);
    EXPECT_EQ(b.kicked, reason);
    EXPECT_EQ(other.kicked, Reason::kNone);
    EXPECT_EQ(world.post(std::string("/apps/3/users/nobody/") + what, "{}").body, "{}");
    expect_refused(world.post("/apps/3/users/" + std::string(129, 'x') + "/" + what, "{}"), Reason::kApiUserIdInvalid);
    expect_refused(world.post(std::string("/apps/3/users//") + what, "{}"), Reason::kApiUserIdInvalid);
  }
}

TEST_P(ServiceTest, BackendEventsOverTheLimit_AreRefusedWithHeaders) {
  hub::AppSettings settings = app_settings();
  settings.backend_events_per_second = 2;
  World world(shards(), settings);
  Reader& reader = world.reader(0, "a");
  const Answer answer = world.post("/apps/3/events", R"({"name":"e","data":"d","channels":["a","b","c"]})");
  expect_refused(answer, Reason::kApiRateLimited);
  EXPECT_EQ(answer.header("Retry-After"), "1");
  EXPECT_EQ(answer.header("X-RateLimit-Limit"), "2");
  EXPECT_EQ(answer.header("X-RateLimit-Remaining"), "2");
  EXPECT_THAT(reader.read(), IsEmpty());
  EXPECT_EQ(world.post("/apps/3/events", event("a")).status, 200);
  EXPECT_EQ(world.post("/apps/3/events", event("a")).status, 200);
  EXPECT_EQ(world.post("/apps/3/events", event("a")).header("X-RateLimit-Remaining"), "0");
}

TEST_P(ServiceTest, ReadsOverTheLimit_AreRefused) {
  hub::AppSettings settings = app_settings();
  settings.read_requests_per_second = 1;
  World world(shards(), settings);
  EXPECT_EQ(world.get("/apps/3/channels").status, 200);
  expect_refused(world.get("/apps/3/channels/c"), Reason::kApiRateLimited);
}

TEST_P(ServiceTest, FullMailbox_RefusesWith503AndDeliversNothing) {
  if (shards() == 1) return;
  World world(2, app_settings(), {}, 16);
  const std::string channel = world.name_at(1, "c");
  Reader& reader = world.reader(1, channel);
  size_t accepted = 0;
  size_t refused = 0;
  for (Ticket ticket = 1; ticket <= 40; ++ticket) {
    const std::string body = event(channel);
    const auto answer = world.begin("POST", signed_target("POST", "/apps/3/events", {}, body), body, ticket);
    if (!answer) {
      ++accepted;
      continue;
    }
    expect_refused(*answer, Reason::kApiOverCapacity);
    EXPECT_EQ(answer->header("Retry-After"), "1");
    ++refused;
  }
  world.pump();
  EXPECT_GT(refused, 0U);
  EXPECT_EQ(reader.read().size(), accepted);
  EXPECT_EQ(world.shard(0).answers.size(), accepted);
  EXPECT_EQ(world.shard(0).service->pending(), 0U);
}

TEST_P(ServiceTest, AnswersThatCrossShards_KeepTheirTickets) {
  if (shards() == 1) return;
  World world(2);
  const std::string far = world.name_at(1, "c");
  for (Ticket ticket = 1; ticket <= 5; ++ticket) {
    const std::string body = event(far);
    EXPECT_FALSE(world.begin("POST", signed_target("POST", "/apps/3/events", {}, body), body, ticket));
    EXPECT_FALSE(world.begin("GET", signed_target("GET", "/apps/3/channels", {}, {}), {}, 100 + ticket));
  }
  EXPECT_EQ(world.shard(0).service->pending(), 10U);
  world.pump();
  EXPECT_EQ(world.shard(0).service->pending(), 0U);
  size_t publishes = 0;
  for (const auto& [ticket, response] : world.shard(0).answers) {
    publishes += ticket < 100 ? 1 : 0;
    EXPECT_EQ(response.body, ticket < 100 ? "{}" : R"({"channels":{}})");
  }
  EXPECT_EQ(world.shard(0).answers.size(), 10U);
  EXPECT_EQ(publishes, 5U);
}

TEST_P(ServiceTest, Tail_IsHandedToTheHttpSide) {
  World world(shards());
  const WireRequest request("GET", signed_target("GET", "/apps/3/tail", "channel=a*&event=e", {}));
  const Outcome outcome = world.shard(0).service->handle(request.get(), request.get().path(), 1, kNowMs);
  const auto* tail = std::get_if<Tail>(&outcome);
  ASSERT_NE(tail, nullptr);
  EXPECT_EQ(tail->channel, "a*");
  EXPECT_EQ(tail->event, "e");
}

TEST_P(ServiceTest, Prefix_IsTakenOffBeforeTheSignature) {
  World world(shards(), app_settings(), {.path_prefix = "/ws"});
  const WireRequest request("GET", "/ws" + signed_target("GET", "/apps/3/connections", {}, {}));
  const Outcome outcome = world.shard(0).service->handle(request.get(), "/apps/3/connections", 1, kNowMs);
  ASSERT_TRUE(std::holds_alternative<http::Response>(outcome));
  EXPECT_EQ(std::get<http::Response>(outcome).status, 200);
}

}  // namespace
}  // namespace kilat::api::testing
