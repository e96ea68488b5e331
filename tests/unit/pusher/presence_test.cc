#include "unit/pusher/session_test.h"

namespace kilat::pusher::testing {
namespace {

struct Presence : SessionTest {};
KILAT_SESSION_TEST(Presence);

std::string members(std::string_view ids, std::string_view hash, int count) {
  return succeeded("presence-c", R"({"presence":{"ids":[)" + std::string(ids) + R"(],"hash":{)" + std::string(hash) +
                                     R"(},"count":)" + std::to_string(count) + "}}");
}
std::string added(std::string_view member) {
  return R"({"event":"pusher_internal:member_added","channel":"presence-c","data":)" + json_string(member) + "}";
}
std::string removed(std::string_view id) {
  return R"({"event":"pusher_internal:member_removed","channel":"presence-c","data":)" +
         json_string(R"({"user_id":")" + std::string(id) + R"("})") + "}";
}

TEST_P(Presence, Joining_ListsAllAndTellsTheOthers) {
  World world(shards());
  Client& a = world.connect(0);
  Client& b = world.connect(1);
  a.subscribe_presence("presence-c", R"({"user_id":"1","user_info":{"n":"é😀"}})");
  EXPECT_THAT(a.read(), ElementsAre(members(R"("1")", R"("1":{"n":"é😀"})", 1)));
  b.subscribe_presence("presence-c", R"({"user_id":2})");
  EXPECT_THAT(b.read(), ElementsAre(members(R"("1","2")", R"("1":{"n":"é😀"},"2":{})", 2)));
  EXPECT_THAT(a.read(), ElementsAre(added(R"({"user_id":"2"})")));
  b.unsubscribe("presence-c");
  EXPECT_THAT(a.read(), ElementsAre(removed("2")));
  EXPECT_THAT(b.read(), IsEmpty());
}

TEST_P(Presence, SecondTabOfAUser_IsNoNewMember) {
  World world(shards());
  Client& watcher = world.connect(0);
  watcher.subscribe_presence("presence-c", R"({"user_id":"w"})");
  watcher.read();
  Client& one = world.connect(0);
  Client& two = world.connect(1);
  one.subscribe_presence("presence-c", R"({"user_id":10,"user_info":{"tab":1}})");
  EXPECT_THAT(watcher.read(), ElementsAre(added(R"({"user_id":"10","user_info":{"tab":1}})")));
  two.subscribe_presence("presence-c", R"({"user_id":"10","user_info":{"tab":2}})");
  EXPECT_THAT(two.read(), ElementsAre(members(R"("w","10")", R"("w":{},"10":{"tab":1})", 2)));
  one.drop();
  world.pump();
  EXPECT_THAT(watcher.read(), IsEmpty());
  two.drop();
  world.pump();
  EXPECT_THAT(watcher.read(), ElementsAre(removed("10")));
}

TEST_P(Presence, SubscribingAgain_GivesThePresentList) {
  World world(shards());
  Client& a = world.connect(0);
  Client& b = world.connect(1);
  a.subscribe_presence("presence-c", R"({"user_id":"1"})");
  b.subscribe_presence("presence-c", R"({"user_id":"2"})");
  a.read(), b.read();
  a.subscribe_presence("presence-c", R"({"user_id":"1"})");
  EXPECT_THAT(a.read(), ElementsAre(members(R"("1","2")", R"("1":{},"2":{})", 2)));
  EXPECT_THAT(b.read(), IsEmpty());
}

TEST_P(Presence, BadChannelData_IsRefused) {
  World world(shards());
  Client& client = world.connect(1);
  const std::string too_long = R"({"user_id":")" + std::string(129, 'x') + R"("})";
  for (const std::string& data :
       {std::string(), std::string("x"), std::string("[]"), std::string("{}"), std::string(R"({"user_id":""})"),
        std::string(R"({"user_id":1,"user_info":7})"), too_long}) {
    client.subscribe_presence("presence-c", data);
    EXPECT_THAT(client.read(), ElementsAre(refused("presence-c", Reason::kPresenceDataInvalid, "AuthError", 401)))
        << data;
  }
  client.subscribe("presence-c", sign(client.id() + ":presence-c"));
  EXPECT_THAT(client.read(), ElementsAre(refused("presence-c", Reason::kPresenceDataInvalid, "AuthError", 401)));
  client.subscribe("presence-c", sign(client.id() + R"(:presence-c:{"user_id":1})"), R"({"user_id":2})");
  EXPECT_THAT(client.read(), ElementsAre(refused("presence-c", Reason::kChannelAuthInvalid, "AuthError", 401)));
  EXPECT_EQ(world.channels_left(), 0U);
}

TEST_P(Presence, UserInfoOverTheLimit_IsRefused) {
  hub::AppSettings app = app_settings();
  app.presence_member_bytes_max = 20;
  World world(shards(), app);
  Client& client = world.connect(1);
  const auto info = [](size_t size) { return R"({"n":")" + std::string(size - 8, 'x') + R"("})"; };
  client.subscribe_presence("presence-c", R"({"user_id":"1","user_info":)" + info(21) + "}");
  EXPECT_THAT(client.read(), ElementsAre(refused("presence-c", Reason::kPresenceMemberTooBig, "LimitReached", 4301)));
  client.subscribe_presence("presence-c", R"({"user_id":"1","user_info":)" + info(20) + "}");
  EXPECT_THAT(client.read(), ElementsAre(members(R"("1")", R"("1":)" + info(20), 1)));
}

TEST_P(Presence, FullChannel_RefusesNewMembersButNotNewTabs) {
  hub::AppSettings app = app_settings();
  app.presence_members_max = 1;
  World world(shards(), app);
  Client& a = world.connect(0);
  Client& b = world.connect(1);
  a.subscribe_presence("presence-c", R"({"user_id":"1"})");
  b.subscribe_presence("presence-c", R"({"user_id":"2"})");
  EXPECT_THAT(b.read(), ElementsAre(refused("presence-c", Reason::kPresenceChannelFull, "LimitReached", 4100)));
  b.subscribe_presence("presence-c", R"({"user_id":"1"})");
  EXPECT_THAT(b.read(), ElementsAre(members(R"("1")", R"("1":{})", 1)));
  a.read();
  a.drop(), b.drop();
  world.pump();
  EXPECT_EQ(world.channels_left(), 0U);
}

TEST_P(Presence, SignedInUser_MayLeaveChannelDataOut) {
  World world(shards());
  Client& client = world.connect(1);
  client.sign_in(R"({"id":"7","user_info":{"n":1}})");
  client.read();
  client.subscribe("presence-c", sign(client.id() + ":presence-c"));
  EXPECT_THAT(client.read(), ElementsAre(members(R"("7")", R"("7":{"n":1})", 1)));
}

TEST_P(Presence, LeavingBeforeTheAnswer_LeavesNoGhost) {
  World world(shards());
  Client& watcher = world.connect(0);
  watcher.subscribe_presence("presence-c", R"({"user_id":"w"})");
  watcher.read();
  for (const uint32_t at : {0U, 1U}) {
    Client& client = world.connect(at);
    const std::string data = R"({"user_id":"g"})";
    const std::string text = R"({"event":"pusher:subscribe","data":{"channel":"presence-c","auth":")" +
                             sign(client.id() + ":presence-c:" + data) + R"(","channel_data":)" + json_string(data) +
                             "}}";
    client.feed(ws::encode_masked_frame(ws::Opcode::kText, text, kMask));
    client.drop();
    world.pump();
    EXPECT_THAT(watcher.read(), ElementsAre(added(R"({"user_id":"g"})"), removed("g")));
  }
}

}  // namespace
}  // namespace kilat::pusher::testing
