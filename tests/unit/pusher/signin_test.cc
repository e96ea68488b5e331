#include "unit/pusher/session_test.h"

namespace kilat::pusher::testing {
namespace {

struct SignIn : SessionTest {};
KILAT_SESSION_TEST(SignIn);

std::string success(std::string_view user_data) {
  return R"({"event":"pusher:signin_success","data":{"user_data":)" + json_string(user_data) + "}}";
}
std::string watchlist(std::string_view events) {
  return R"({"event":"pusher_internal:watchlist_events","data":)" +
         json_string(R"({"events":[)" + std::string(events) + "]}") + "}";
}
std::string list(std::string_view name, std::string_view ids) {
  return R"({"name":")" + std::string(name) + R"(","user_ids":[)" + std::string(ids) + "]}";
}

// The vector of docs/protocol.md.
TEST_P(SignIn, PublishedVector_IsAccepted) {
  World world(shards());
  Client& client = world.connect(0, {.socket_id = {1234, 1234}});
  client.sign_in(R"({"id":"12345"})",
                 "278d425bdf160c739803:4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba");
  EXPECT_THAT(client.read(), ElementsAre(success(R"({"id":"12345"})")));
}

TEST_P(SignIn, SignedInUser_ReadsTheUserChannelWithAllTabs) {
  World world(shards());
  Client& a = world.connect(0);
  Client& b = world.connect(1);
  Client& other = world.connect(1);
  for (Client* client : {&a, &b}) client->sign_in(R"({"id":"12345"})"), client->read();
  other.sign_in(R"({"id":"1234"})");
  other.read();
  a.subscribe("#server-to-user-12345");
  EXPECT_THAT(a.read(), ElementsAre(succeeded("#server-to-user-12345")));
  world.publish("#server-to-user-12345", "e", "1");
  const std::string event = event_text("#server-to-user-12345", "e", "1");
  EXPECT_THAT(a.read(), ElementsAre(event));
  EXPECT_THAT(b.read(), ElementsAre(event));
  a.unsubscribe("#server-to-user-12345");
  world.publish("#server-to-user-12345", "e", "1");
  EXPECT_THAT(a.read(), ElementsAre(event));
  EXPECT_THAT(other.read(), IsEmpty());
}

TEST_P(SignIn, UserChannelOfAnotherOrWithoutSignIn_IsRefused) {
  World world(shards());
  Client& client = world.connect(1);
  client.subscribe("#server-to-user-1");
  EXPECT_THAT(client.read(), ElementsAre(refused("#server-to-user-1", Reason::kUserChannelRefused, "AuthError", 401)));
  client.sign_in(R"({"id":"1"})");
  client.read();
  for (const char* channel : {"#server-to-user-2", "#server-to-user-11", "#server-to-user-1 "}) {
    client.subscribe(channel);
    EXPECT_THAT(client.read(), ElementsAre(refused(channel, Reason::kUserChannelRefused, "AuthError", 401)));
  }
}

TEST_P(SignIn, InvalidSignIn_ClosesTheConnection) {
  World world(shards());
  const auto attempt = [&](std::string_view user_data, auto&& auth) {
    Client& client = world.connect(1);
    client.sign_in(user_data, auth(client));
    expect_closed(client, Reason::kSigninInvalid);
  };
  const auto good = [](std::string_view user_data) {
    return [user_data](Client& client) { return sign(client.id() + "::user::" + std::string(user_data)); };
  };
  attempt(R"({"id":"1"})", [](Client&) { return std::string("x"); });
  attempt(R"({"id":"1"})", [](Client& client) { return sign(client.id() + R"(::user::{"id":"2"})"); });
  attempt(R"({"id":"1"})", [](Client& client) { return sign(client.id() + R"(:user:{"id":"1"})"); });
  attempt(R"({"id":"1"})", [](Client& client) { return "other" + sign(client.id() + R"(::user::{"id":"1"})"); });
  const std::string long_id = R"({"id":")" + std::string(129, 'x') + R"("})";
  for (const std::string& data :
       {std::string("{}"), std::string("x"), std::string(R"({"id":""})"), std::string(R"({"id":1})"),
        std::string(R"({"user_id":"1"})"), std::string(R"({"id":"1","user_info":1})"), long_id}) {
    attempt(data, good(data));
  }
  for (const char* data : {"{}", R"({"auth":"a:b"})", R"({"user_data":"{}"})", R"({"auth":1,"user_data":2})"}) {
    Client& client = world.connect(1);
    client.say(std::string(R"({"event":"pusher:signin","data":)") + data + "}");
    expect_closed(client, Reason::kSigninInvalid);
  }
  EXPECT_EQ(world.channels_left(), 0U);
}

TEST_P(SignIn, SwitchedOff_IsRefusedAndTheSocketStays) {
  hub::AppSettings app = app_settings();
  app.user_authentication = false;
  World world(shards(), app);
  Client& client = world.connect(1);
  client.sign_in(R"({"id":"1"})");
  EXPECT_THAT(client.read(), ElementsAre(error(Reason::kSigninDisabled)));
  EXPECT_FALSE(client.finished());
}

TEST_P(SignIn, Twice_IsFineForTheSameUserAndEndsForAnother) {
  World world(shards());
  Client& client = world.connect(1);
  client.sign_in(R"({"id":"1"})");
  client.sign_in(R"({"id":"1","x":2})");
  EXPECT_THAT(client.read(), ElementsAre(success(R"({"id":"1"})"), success(R"({"id":"1","x":2})")));
  client.sign_in(R"({"id":"2"})");
  expect_closed(client, Reason::kSigninOtherUser);
}

TEST_P(SignIn, RequiredButMissing_ClosesAfterTheTimeout) {
  hub::AppSettings app = app_settings();
  app.require_authorization = true;
  app.auth_timeout_ms = 1'000;
  World world(shards(), app);
  Client& silent = world.connect(0);
  Client& open = world.connect(1);
  Client& private_reader = world.connect(0);
  Client& user = world.connect(1);
  open.subscribe("c");
  private_reader.subscribe_private("private-c");
  user.sign_in(R"({"id":"1"})");
  for (Client* client : {&open, &private_reader, &user}) client->read();
  world.pass(999);
  EXPECT_FALSE(silent.finished());
  world.pass(1);
  expect_closed(silent, Reason::kAuthTimeout);
  expect_closed(open, Reason::kAuthTimeout);
  world.pass(10'000);
  EXPECT_FALSE(private_reader.finished());
  EXPECT_FALSE(user.finished());
}

TEST_P(SignIn, Kick_ClosesEveryTabOfTheUserForTheGivenReason) {
  World world(shards());
  for (const Reason reason : {Reason::kTerminatedByApi, Reason::kForcedReconnect}) {
    Client& a = world.connect(0);
    Client& b = world.connect(1);
    Client& other = world.connect(1);
    for (Client* client : {&a, &b}) client->sign_in(R"({"id":"1"})"), client->read();
    other.sign_in(R"({"id":"2"})");
    other.subscribe("c");
    other.read();
    world.kick("1", reason);
    expect_closed(a, reason);
    expect_closed(b, reason);
    EXPECT_FALSE(other.finished());
    world.kick("nobody", reason);
    other.drop();
    world.pump();
  }
}

// --- watchlist (docs/protocol.md)

TEST_P(SignIn, Watchlist_TellsTheStateOnceThenEachChange) {
  World world(shards());
  Client& b = world.connect(0);
  b.sign_in(R"({"id":"b"})");
  Client& a = world.connect(1);
  a.sign_in(R"({"id":"a","watchlist":["b","c","b"]})");
  EXPECT_THAT(a.read(), ElementsAre(success(R"({"id":"a","watchlist":["b","c","b"]})"),
                                    watchlist(list("online", R"("b")") + "," + list("offline", R"("c")"))));
  Client& c = world.connect(1);
  c.sign_in(R"({"id":"c"})");
  EXPECT_THAT(a.read(), ElementsAre(watchlist(list("online", R"("c")"))));
  c.drop();
  world.pass(2'999);
  EXPECT_THAT(a.read(), IsEmpty());
  world.pass(1);
  EXPECT_THAT(a.read(), ElementsAre(watchlist(list("offline", R"("c")"))));
}

TEST_P(SignIn, QuickReconnect_IsNoChangeForWatchers) {
  World world(shards());
  Client& a = world.connect(1);
  Client& b = world.connect(0);
  b.sign_in(R"({"id":"b"})");
  a.sign_in(R"({"id":"a","watchlist":["b"]})");
  a.read();
  b.drop();
  world.pass(2'000);
  world.connect(1).sign_in(R"({"id":"b"})");
  world.pass(60'000);
  EXPECT_THAT(a.read(), IsEmpty());
}

TEST_P(SignIn, WatchlistOverTheLimit_IsCutAndTold) {
  World world(shards());
  Client& client = world.connect(1);
  std::string data = R"({"id":"a","watchlist":[)";
  std::string first_hundred;
  for (int i = 0; i < 101; ++i) {
    const std::string id = json_string("u" + std::to_string(i));
    data += (i > 0 ? "," : "") + id;
    if (i < 100) first_hundred += (i > 0 ? "," : "") + id;
  }
  data += "]}";
  client.sign_in(data);
  EXPECT_THAT(client.read(),
              ElementsAre(success(data), error(Reason::kWatchlistTooLong), watchlist(list("offline", first_hundred))));
  EXPECT_FALSE(client.finished());
  client.drop();
  world.pump();
  EXPECT_EQ(world.channels_left(), 0U);
}

TEST_P(SignIn, UserWatchingThemself_IsOnline) {
  World world(shards());
  Client& client = world.connect(1);
  client.sign_in(R"({"id":"a","watchlist":["a"]})");
  EXPECT_THAT(client.read(),
              ElementsAre(success(R"({"id":"a","watchlist":["a"]})"), watchlist(list("online", R"("a")"))));
}

}  // namespace
}  // namespace kilat::pusher::testing
