// What a client may do: rooms, presence, users, publishing; beside readers of another protocol.
#include "unit/socketio/socketio_test.h"

namespace kilat::socketio::testing {
namespace {

struct Rooms : SocketIoTest {
  static std::string ack(int number, std::string_view json, std::string_view nsp = {}) {
    return "43" + std::string(nsp) + std::to_string(number) + "[" + std::string(json) + "]";
  }
  static constexpr std::string_view kOk = R"({"ok":true})";
  World world{shards()};
};
KILAT_SOCKETIO_TEST(Rooms);

// --- subscribe

TEST_P(Rooms, Subscriber_GetsWhatIsPublishedByEitherProtocol) {
  Client& client = world.join(1);
  EXPECT_THAT(client.subscribe("orders"), ElementsAre(ack(1, kOk)));
  world.publish("orders", "paid", R"("{\"id\":12345678901234567890}")");
  world.publish("orders", "paid", R"("text")");
  EXPECT_EQ(world.post("emit", R"({"event":"e","args":[1,"x",{"a":2}],"rooms":["orders"]})"), "{}");
  EXPECT_EQ(world.post("emit", R"({"event":"e","rooms":["orders"]})"), "{}");
  EXPECT_THAT(client.read(), ElementsAre(R"(42["paid",{"id":12345678901234567890}])", R"(42["paid","text"])",
                                         R"(42["e",1,"x",{"a":2}])", R"(42["e"])"));
}

TEST_P(Rooms, ReaderOfTheOtherProtocol_GetsTheArgumentsAsText) {
  Reader& reader = world.reader(1, "orders");
  for (const auto& [args, data] :
       {std::pair(R"([{"a":1}])", R"("{\"a\":1}")"), std::pair(R"([1,"x"])", R"("[1,\"x\"]")"),
        std::pair("[]", R"("[]")"), std::pair("[12345678901234567890]", R"("12345678901234567890")"),
        std::pair(R"([{"$binary":"AQID"}])", R"("{\"$binary\":\"AQID\"}")")}) {
    EXPECT_EQ(world.post("emit", R"({"event":"e","rooms":["orders"],"args":)" + std::string(args) + "}"), "{}");
    EXPECT_THAT(reader.read(), ElementsAre(reader_text("orders", "e", data)));
  }
}

TEST_P(Rooms, Unsubscribed_GetsNothingMore) {
  Client& client = world.join(1);
  client.subscribe("c");
  EXPECT_THAT(client.ask("unsubscribe", R"({"channel":"c"})"), ElementsAre(ack(2, kOk)));
  world.publish("c", "m", "1");
  EXPECT_THAT(client.read(), IsEmpty());
  EXPECT_THAT(client.ask("unsubscribe", R"("c")"), ElementsAre(ack(3, kOk)));
  EXPECT_EQ(world.channels_left(), 0U);
}

TEST_P(Rooms, SubscribingAgain_CountsOnce) {
  Client& client = world.join(1);
  client.subscribe("c");
  EXPECT_THAT(client.subscribe("c"), ElementsAre(ack(2, kOk)));
  world.publish("c", "m", "1");
  EXPECT_THAT(client.read(), ElementsAre(R"(42["m",1])"));
}

TEST_P(Rooms, SubscribeAndUnsubscribeInOneBreath_AreBothAnswered) {
  Client& client = world.join(1);
  std::string bytes;
  for (const char* packet : {R"(421["subscribe","c"])", R"(422["unsubscribe","c"])", R"(423["subscribe","c"])"}) {
    bytes += ws::encode_masked_frame(ws::Opcode::kText, packet, kMask);
  }
  client.feed(bytes);
  world.pump();
  EXPECT_THAT(client.read(), UnorderedElementsAre(ack(1, kOk), ack(2, kOk), ack(3, kOk)));
  world.publish("c", "m", "1");
  EXPECT_THAT(client.read(), ElementsAre(R"(42["m",1])"));
}

TEST_P(Rooms, WithoutAnAcknowledgement_NothingIsAnswered) {
  Client& client = world.join();
  client.say(R"(42["subscribe","c"])");
  client.say(R"(42["subscribe","private-c"])");
  EXPECT_THAT(client.read(), IsEmpty());
  world.publish("c", "m", "1");
  EXPECT_THAT(client.read(), ElementsAre(R"(42["m",1])"));
}

TEST_P(Rooms, PrivateRoom_NeedsTheSignature) {
  Client& client = world.join(1);
  EXPECT_THAT(client.subscribe("private-c"), ElementsAre(ack(1, refusal(Reason::kChannelAuthInvalid))));
  for (const std::string& auth : {sign(client.id() + ":private-d"), sign("1.2:private-c"), std::string("x"),
                                  std::string(), "other-key" + sign(client.id() + ":private-c").substr(20)}) {
    EXPECT_THAT(client.ask("subscribe", R"({"channel":"private-c","auth":)" + json_string(auth) + "}"),
                ElementsAre(HasSubstr("channel_auth_invalid")));
  }
  EXPECT_THAT(client.subscribe_signed("private-c"), ElementsAre(HasSubstr(kOk)));
  world.publish("private-c", "m", "1");
  EXPECT_THAT(client.read(), ElementsAre(R"(42["m",1])"));
}

TEST_P(Rooms, WhatCannotBeSubscribed_IsRefusedByItsRow) {
  Client& client = world.join();
  const auto error = [&](std::string_view argument) {
    const Log log = client.ask("subscribe", argument);
    EXPECT_EQ(log.size(), 1U);
    const std::string& text = log.at(0);
    const size_t at = text.find(R"("error":")");
    return at == std::string::npos ? text : text.substr(at + 9, text.find('"', at + 9) - at - 9);
  };
  const auto row = [](Reason reason) { return std::string(reason_row(reason).id); };
  for (const char* argument : {"", "null", "1", "[]", "{}", R"("")", R"({"channel":1})", R"({"room":"c"})"}) {
    EXPECT_EQ(error(argument), row(Reason::kSioArgumentsInvalid)) << argument;
  }
  EXPECT_EQ(error("\"" + std::string(201, 'c') + "\""), row(Reason::kChannelNameTooLong));
  EXPECT_EQ(error(R"("a\u0000b")"), row(Reason::kChannelNameInvalid));
  EXPECT_EQ(error(R"("#c")"), row(Reason::kChannelNameInvalid));
  EXPECT_EQ(error(R"("#server-to-user-1")"), row(Reason::kUserChannelRefused));
  EXPECT_EQ(client.finished(), std::nullopt);
}

TEST_P(Rooms, TooManySubscriptions_AreRefused) {
  World::Setup setup;
  setup.app.subscriptions_max = 2;
  World other(shards(), setup);
  Client& client = other.join();
  client.subscribe("a");
  client.subscribe("b");
  EXPECT_THAT(client.subscribe("c"), ElementsAre(ack(3, refusal(Reason::kTooManySubscriptions))));
  EXPECT_THAT(client.subscribe("b"), ElementsAre(ack(4, kOk)));
}

TEST_P(Rooms, CacheRoom_BeginsWithItsLastEvent) {
  Client& client = world.join(1);
  EXPECT_EQ(world.post("emit", R"({"event":"e","args":[1,2],"rooms":["cache-c"]})"), "{}");
  EXPECT_THAT(client.subscribe("cache-c"), ElementsAre(ack(1, kOk), R"(42["e",1,2])"));
  EXPECT_THAT(client.subscribe("cache-c"), ElementsAre(ack(2, kOk)));
}

// --- presence

TEST_P(Rooms, Presence_TellsWhoIsThereAndWhoComesAndGoes) {
  Client& first = world.join(1);
  Client& second = world.join(0);
  EXPECT_THAT(first.subscribe_presence("presence-c", R"({"user_id":"a","user_info":{"n":1}})"),
              ElementsAre(ack(1, R"({"ok":true,"me":"a","members":[{"user_id":"a","user_info":{"n":1}}]})")));
  EXPECT_THAT(second.subscribe_presence("presence-c", R"({"user_id":2})"),
              ElementsAre(AllOf(HasSubstr(R"("me":"2")"), HasSubstr(R"({"user_id":"a","user_info":{"n":1}})"),
                                HasSubstr(R"({"user_id":"2"})"))));
  EXPECT_THAT(first.read(), ElementsAre(R"(42["member_added",{"channel":"presence-c","user_id":"2"}])"));
  second.say("41");
  world.pass(10'000);
  EXPECT_THAT(first.read(), ElementsAre(R"(42["member_removed",{"channel":"presence-c","user_id":"2"}])"));
}

TEST_P(Rooms, PresenceWithoutAMember_IsRefused) {
  Client& client = world.join();
  EXPECT_THAT(client.subscribe_signed("presence-c"), ElementsAre(ack(1, refusal(Reason::kPresenceDataInvalid))));
  for (const char* data : {"{}", "x", "[]", R"({"user_id":""})", R"({"user_id":"u","user_info":"text"})",
                           R"({"user_id":"u","user_info":[1]})"}) {
    EXPECT_THAT(client.subscribe_presence("presence-c", data), ElementsAre(HasSubstr("presence_data_invalid"))) << data;
  }
  EXPECT_THAT(client.subscribe_presence("presence-c", R"({"user_id":")" + std::string(129, 'x') + R"("})"),
              ElementsAre(HasSubstr("presence_data_invalid")));
  const std::string large = R"({"user_id":"1","user_info":{"n":")" + std::string(3'000, 'x') + R"("}})";
  EXPECT_THAT(client.subscribe_presence("presence-c", large), ElementsAre(HasSubstr("presence_member_too_big")));
}

TEST_P(Rooms, SignedInUser_IsTheMemberWithoutData) {
  Client& client = world.join(1);
  client.sign_in(R"({"id":"u","user_info":{"n":2}})");
  EXPECT_THAT(client.subscribe_signed("presence-c"),
              ElementsAre(HasSubstr(R"("me":"u","members":[{"user_id":"u","user_info":{"n":2}}])")));
}

TEST_P(Rooms, FullPresenceRoom_RefusesTheNext) {
  World::Setup setup;
  setup.app.presence_members_max = 1;
  World other(shards(), setup);
  other.join(0).subscribe_presence("presence-c", R"({"user_id":"a"})");
  Client& second = other.join(1);
  EXPECT_THAT(second.subscribe_presence("presence-c", R"({"user_id":"b"})"),
              ElementsAre(AllOf(HasSubstr(R"("ok":false)"), HasSubstr("presence"))));
}

// --- users

TEST_P(Rooms, SignIn_NamesTheUserForKicks) {
  Client& client = world.join(1);
  Client& other = world.join(1);
  EXPECT_THAT(client.sign_in(R"({"id":"u"})"), ElementsAre(ack(1, kOk)));
  EXPECT_THAT(client.sign_in(R"({"id":"u"})"), ElementsAre(ack(2, kOk)));
  EXPECT_THAT(client.sign_in(R"({"id":"v"})"), ElementsAre(ack(3, refusal(Reason::kSigninOtherUser))));
  other.sign_in(R"({"id":"v"})");
  world.kick("u");
  EXPECT_THAT(client.read(), ElementsAre("41", "<close 1005>"));
  expect_open(other);
}

TEST_P(Rooms, BrokenSignIns_AreRefused) {
  Client& client = world.join();
  EXPECT_THAT(client.ask("signin", ""), ElementsAre(HasSubstr("socketio_arguments_invalid")));
  EXPECT_THAT(client.ask("signin", R"({"auth":"a:b","user_data":"{\"id\":\"u\"}"})"),
              ElementsAre(HasSubstr("signin_invalid")));
  for (const char* data : {"{}", "x", R"({"id":""})", R"({"id":7})", R"({"user_id":"u"})", R"({"id":"a\u0000"})",
                           R"({"id":"u","user_info":"text"})"}) {
    EXPECT_THAT(client.sign_in(data), ElementsAre(HasSubstr("signin_invalid"))) << data;
  }
  World::Setup setup;
  setup.app.user_authentication = false;
  World other(shards(), setup);
  EXPECT_THAT(other.join().sign_in(R"({"id":"u"})"), ElementsAre(HasSubstr(reason_row(Reason::kSigninDisabled).id)));
}

// --- publish

TEST_P(Rooms, Publish_ReachesEverybodyElse) {
  Client& sender = world.join(1);
  Client& near = world.join(1);
  Client& far = world.join(0);
  Reader& reader = world.reader(0, "private-c");
  for (Client* client : {&sender, &near, &far}) client->subscribe_signed("private-c");
  EXPECT_THAT(sender.publish("private-c", "client-x", R"({"a":12345678901234567890})"), ElementsAre(ack(2, kOk)));
  for (Client* client : {&near, &far}) {
    EXPECT_THAT(client->read(), ElementsAre(R"(42["client-x",{"a":12345678901234567890}])"));
  }
  EXPECT_THAT(reader.read(), ElementsAre(reader_text("private-c", "client-x", R"({"a":12345678901234567890})")));
  sender.ask("publish", R"({"channel":"private-c","event":"client-y"})");
  EXPECT_THAT(near.read(), ElementsAre(R"(42["client-y",null])"));
}

// What looks like an attachment's place is data, where there are no attachments.
TEST_P(Rooms, PublishedPlaceholder_IsData) {
  Client& sender = world.join(1);
  Client& reader = world.join(0);
  for (Client* client : {&sender, &reader}) client->subscribe_signed("private-c");
  sender.publish("private-c", "client-x", R"({"_placeholder":true,"num":0})");
  EXPECT_THAT(reader.read(), ElementsAre(R"(42["client-x",{"_placeholder":true,"num":0}])"));
}

TEST_P(Rooms, WhatMayNotBePublished_IsRefusedByItsRow) {
  World::Setup setup;
  setup.app.event_bytes_max = 100;
  World other(shards(), setup);
  Client& client = other.join(1);
  Client& reader = other.join(0);
  for (Client* each : {&client, &reader}) {
    each->subscribe("c");
    each->subscribe_signed("private-c");
    each->subscribe_signed("private-encrypted-c");
  }
  const auto refused = [&](std::string_view room, std::string_view event, std::string_view data, Reason reason) {
    EXPECT_THAT(client.publish(room, event, data), ElementsAre(HasSubstr(refusal(reason)))) << room << " " << event;
  };
  refused("private-c", "x", "1", Reason::kSioEventNameRefused);
  refused("private-c", "", "1", Reason::kSioArgumentsInvalid);
  refused("", "client-x", "1", Reason::kSioArgumentsInvalid);
  refused("private-c", "client-" + std::string(200, 'x'), "1", Reason::kClientEventNameTooLong);
  refused("private-c", "client-x", "\"" + std::string(99, 'x') + "\"", Reason::kClientEventTooBig);
  refused("c", "client-x", "1", Reason::kClientEventChannelRefused);
  refused("private-encrypted-c", "client-x", "1", Reason::kClientEventChannelRefused);
  refused("#server-to-user-1", "client-x", "1", Reason::kClientEventChannelRefused);
  refused("private-d", "client-x", "1", Reason::kClientEventNotSubscribed);
  EXPECT_THAT(reader.read(), IsEmpty());
  other.app().settings.client_events = false;
  refused("private-c", "client-x", "1", Reason::kClientEventsDisabled);
}

TEST_P(Rooms, PublishingTooFast_IsRefused) {
  World::Setup setup;
  setup.app.client_events_per_second = 2;
  World other(shards(), setup);
  Client& client = other.join(1);
  client.subscribe_signed("private-c");
  int taken = 0;
  for (int i = 0; i < 10; ++i) taken += client.publish("private-c", "client-x", "1") == Log{ack(i + 2, kOk)} ? 1 : 0;
  EXPECT_EQ(taken, 2);
  EXPECT_THAT(client.publish("private-c", "client-x", "1"), ElementsAre(HasSubstr("client_event_rate_limited")));
}

TEST_P(Rooms, ExcludedSocketOfAPublish_DoesNotGetIt) {
  Client& spared = world.join(1);
  Client& other = world.join(1);
  for (Client* client : {&spared, &other}) client->subscribe("c");
  world.publish("c", "m", "1", *hub::SocketId::parse(spared.id()));
  EXPECT_THAT(spared.read(), IsEmpty());
  EXPECT_THAT(other.read(), ElementsAre(R"(42["m",1])"));
}

// --- scopes

TEST_P(Rooms, NamespaceWithAScope_HasRoomsOfItsOwn) {
  Client& root = world.join(1);
  root.connect("/custom");
  root.connect("/plain");
  root.subscribe("c");
  root.subscribe("c", "/custom");
  root.subscribe("c", "/plain");
  world.publish("c", "m", "1");
  EXPECT_THAT(root.read(), UnorderedElementsAre(R"(42["m",1])", R"(42/plain,["m",1])"));
  world.publish("custom:c", "m", "2");
  EXPECT_THAT(root.read(), ElementsAre(R"(42/custom,["m",2])"));
}

TEST_P(Rooms, InAScope_TheClientsNameOfTheRoomIsSigned) {
  Client& client = world.open(1);
  client.connect("/custom");
  EXPECT_THAT(client.subscribe("private-c", "/custom"), ElementsAre(HasSubstr("channel_auth_invalid")));
  EXPECT_THAT(client.subscribe_signed("private-c", "/custom"), ElementsAre(HasSubstr(kOk)));
  world.publish("private-custom:c", "m", "1");
  EXPECT_THAT(client.read(), ElementsAre(R"(42/custom,["m",1])"));
}

TEST_P(Rooms, InAScope_MembersHaveTheClientsNameOfTheRoom) {
  Client& first = world.open(1);
  Client& second = world.open(0);
  for (Client* client : {&first, &second}) client->connect("/custom");
  first.subscribe_presence("presence-c", R"({"user_id":"a"})", "/custom");
  second.subscribe_presence("presence-c", R"({"user_id":"b"})", "/custom");
  EXPECT_THAT(first.read(), ElementsAre(R"(42/custom,["member_added",{"channel":"presence-c","user_id":"b"}])"));
}

// The rooms of one app are no rooms of another; its key signs there.
TEST_P(Rooms, NamespaceOfAnotherApp_IsApart) {
  Client& client = world.open(1);
  client.connect("/shop");
  client.subscribe("c", "/shop");
  world.publish("c", "m", "1");
  world.publish("shop.c", "m", "1");
  EXPECT_THAT(client.read(), IsEmpty());
  world.publish("shop.c", "m", "1", {}, 1);
  EXPECT_THAT(client.read(), ElementsAre(R"(42/shop,["m",1])"));
  EXPECT_THAT(client.subscribe_signed("private-c", "/shop"), ElementsAre(HasSubstr("channel_auth_invalid")));
}

TEST_P(Rooms, WhenAllHaveGone_NothingIsLeft) {
  Client& client = world.join(1);
  client.connect("/custom");
  client.subscribe("c");
  client.subscribe_presence("presence-c", R"({"user_id":"a"})");
  client.subscribe("d", "/custom");
  client.sign_in(R"({"id":"u"})");
  client.drop();
  world.pass(10'000);
  EXPECT_EQ(world.channels_left(), 0U);
  EXPECT_EQ(world.sockets(), 0U);
  EXPECT_EQ(world.sessions(), 0U);
}

}  // namespace
}  // namespace kilat::socketio::testing
