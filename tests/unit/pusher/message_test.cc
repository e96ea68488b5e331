#include "pusher/message.h"

#include <gtest/gtest.h>

#include <string>

#include "unit/ws/event_log.h"

namespace kilat::pusher {
namespace {

using Kind = ClientMessage::Kind;

// Keeps the text and the parser alive, with exactly the padding that is promised.
struct Parsed {
  explicit Parsed(std::string_view text) : bytes(text), message(parser.parse({bytes.span().data(), text.size()})) {}
  const ClientMessage* operator->() const { return &*message; }
  explicit operator bool() const { return message.has_value(); }
  MessageParser parser;
  ws::PaddedBytes bytes;
  std::optional<ClientMessage> message;
};

bool refused(std::string_view text) {
  return !Parsed(text);
}

TEST(Message, PingAndPong_NeedNoData) {
  for (const char* data :
       {"", R"(,"data":{})", R"(,"data":"{}")", R"(,"data":"")", R"(,"data":null)", R"(,"data":7)"}) {
    const Parsed ping(std::string(R"({"event":"pusher:ping")") + data + "}");
    ASSERT_TRUE(ping) << data;
    EXPECT_EQ(ping->kind, Kind::kPing);
    const Parsed pong(std::string(R"({"event":"pusher:pong")") + data + "}");
    ASSERT_TRUE(pong) << data;
    EXPECT_EQ(pong->kind, Kind::kPong);
  }
}

TEST(Message, SubscribeOfEveryKind_GivesItsMembers) {
  const Parsed plain(R"({"event":"pusher:subscribe","data":{"channel":"c","auth":""}})");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->kind, Kind::kSubscribe);
  EXPECT_EQ(plain->channel, "c");
  EXPECT_EQ(plain->auth, "");
  EXPECT_FALSE(plain->channel_data);

  const Parsed bare(R"({"event":"pusher:subscribe","data":{"channel":"c"}})");
  ASSERT_TRUE(bare);
  EXPECT_FALSE(bare->auth);

  const Parsed presence(
      R"({"event":"pusher:subscribe","data":{"channel":"presence-c","auth":"K:H","channel_data":"{\"user_id\":1}"}})");
  ASSERT_TRUE(presence);
  EXPECT_EQ(presence->channel, "presence-c");
  EXPECT_EQ(presence->auth, "K:H");
  EXPECT_EQ(presence->channel_data, R"({"user_id":1})");
}

TEST(Message, DataAsStringJson_MeansTheSame) {
  const Parsed subscribe(
      R"({"event":"pusher:subscribe","data":"{\"channel\":\"presence-c\",\"auth\":\"K:H\",\"channel_data\":\"{}\"}"})");
  ASSERT_TRUE(subscribe);
  EXPECT_EQ(subscribe->channel, "presence-c");
  EXPECT_EQ(subscribe->auth, "K:H");
  EXPECT_EQ(subscribe->channel_data, "{}");
  const Parsed unsubscribe(R"({"event":"pusher:unsubscribe","data":"{\"channel\":\"c\"}"})");
  ASSERT_TRUE(unsubscribe);
  EXPECT_EQ(unsubscribe->kind, Kind::kUnsubscribe);
  EXPECT_EQ(unsubscribe->channel, "c");
}

TEST(Message, SignIn_GivesAuthAndUserData) {
  const Parsed parsed(R"({"event":"pusher:signin","data":{"auth":"K:H","user_data":"{\"id\":\"42\"}"}})");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->kind, Kind::kSignin);
  EXPECT_EQ(parsed->auth, "K:H");
  EXPECT_EQ(parsed->user_data, R"({"id":"42"})");
  const Parsed empty(R"({"event":"pusher:signin","data":{}})");
  ASSERT_TRUE(empty);
  EXPECT_FALSE(empty->auth);
  EXPECT_FALSE(empty->user_data);
}

TEST(Message, ClientEvent_CarriesTheRawTextOfItsData) {
  for (const char* data : {R"({"a": [1, 2.50, "\u00e9"] })", R"("text \" \\ }")", "null", "true", "-0", "1E2", "[]",
                           "123456789012345678901234567890", R"("é😀")", R"([{"data":1},{"data":2}])"}) {
    const Parsed parsed(std::string(R"({ "event" : "client-x" , "data" : )") + data + R"( , "channel":"private-c"})");
    ASSERT_TRUE(parsed) << data;
    EXPECT_EQ(parsed->kind, Kind::kClientEvent);
    EXPECT_EQ(parsed->event, "client-x");
    EXPECT_EQ(parsed->channel, "private-c");
    std::string_view raw = parsed->data;
    while (raw.ends_with(' ')) raw.remove_suffix(1);
    EXPECT_EQ(raw, data);
  }
}

TEST(Message, ClientEventWithoutData_CarriesNull) {
  const Parsed parsed(R"({"event":"client-x","channel":"private-c"})");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->data, "null");
}

TEST(Message, DataOfANestedObject_IsNotMistakenForTheEventsOwn) {
  const Parsed parsed(R"({"x":{"data":1,"event":"e"},"event":"client-x","channel":"private-c","data":2})");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->data, "2");
}

TEST(Message, EscapedKeysAndValues_AreWhatTheyStandFor) {
  const Parsed parsed(R"({"\u0065vent":"client-\u0078","ch\u0061nnel":"private-\u00e9","d\u0061ta":[1]})");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->event, "client-x");
  EXPECT_EQ(parsed->channel, "private-é");
  EXPECT_EQ(parsed->data, "[1]");
}

TEST(Message, Heartbeat_IsASignOfLife) {
  const Parsed parsed(R"({"type":"heartbeat","time":1700000000})");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->kind, Kind::kHeartbeat);
  EXPECT_TRUE(refused(R"({"type":"other"})"));
  EXPECT_TRUE(refused(R"({"type":7})"));
}

TEST(Message, AnyOtherEventName_IsUnsupported) {
  for (const char* event : {"pusher:foo", "my-event", "", "pusher_internal:subscription_succeeded", "client",
                            "Client-x", "PUSHER:PING", "pusher:ping "}) {
    const Parsed parsed(std::string(R"({"event":")") + event + R"(","channel":5,"data":[]})");
    ASSERT_TRUE(parsed) << event;
    EXPECT_EQ(parsed->kind, Kind::kUnsupported) << event;
    EXPECT_EQ(parsed->event, event);
  }
}

TEST(Message, WhatIsNoJsonObjectWithAnEvent_IsRefused) {
  for (const char* text : {"",
                           " ",
                           "not json",
                           "{",
                           "}",
                           "[]",
                           "null",
                           "5",
                           "\"event\"",
                           "{}",
                           R"({"event":5})",
                           R"({"event":null})",
                           R"({"event":["pusher:ping"]})",
                           R"({"event":"pusher:ping",})",
                           R"({"event":"pusher:ping"}x)",
                           R"({'event':'pusher:ping'})",
                           "{\"event\":\"pusher:ping\"",
                           "{\"event\":\"a\nb\"}",
                           R"({"event":"\x"})",
                           "\xef\xbb\xbf{",
                           "\xff\xfe"}) {
    EXPECT_TRUE(refused(text)) << text;
  }
}

TEST(Message, PusherEventsWithoutWhatTheyNeed_AreRefused) {
  for (const char* event : {"pusher:subscribe", "pusher:unsubscribe"}) {
    for (const char* data :
         {"", R"(,"data":null)", R"(,"data":5)", R"(,"data":[])", R"(,"data":"")", R"(,"data":"x")", R"(,"data":"[]")",
          R"(,"data":{})", R"(,"data":{"channel":5})", R"(,"data":{"channel":null})", R"(,"data":"{\"channel\":1}")",
          R"(,"data":{"Channel":"c"})"}) {
      EXPECT_TRUE(refused(std::string(R"({"event":")") + event + R"(")" + data + "}")) << event << data;
    }
  }
  EXPECT_TRUE(refused(R"({"event":"pusher:signin"})"));
  EXPECT_TRUE(refused(R"({"event":"pusher:signin","data":"7"})"));
  EXPECT_TRUE(refused(R"({"event":"client-x","data":{}})"));
  EXPECT_TRUE(refused(R"({"event":"client-x","channel":7,"data":{}})"));
}

TEST(Message, MembersOfOtherTypes_CountAsAbsent) {
  const Parsed parsed(
      R"({"event":"pusher:subscribe","data":{"channel":"c","auth":null,"channel_data":{"user_id":1}}})");
  ASSERT_TRUE(parsed);
  EXPECT_FALSE(parsed->auth);
  EXPECT_FALSE(parsed->channel_data);
}

TEST(Message, NestingUpToTheBound_IsTakenAndBeyondRefused) {
  const auto nested = [](size_t depth) {
    return R"({"event":"client-x","channel":"c","data":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  const Parsed parsed(nested(500));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->data.size(), 1000U);
  EXPECT_TRUE(refused(nested(600)));
  EXPECT_TRUE(refused(nested(60'000)));
}

TEST(Message, AParserIsReusable_AlsoAfterRefusals) {
  MessageParser parser;
  for (int round = 0; round < 3; ++round) {
    ws::PaddedBytes bad("{\"event\":");
    EXPECT_FALSE(parser.parse({bad.span().data(), bad.span().size()}));
    const std::string text = R"({"event":"client-x","channel":"c","data":")" + std::string(50'000, 'x') + R"("})";
    ws::PaddedBytes good(text);
    const auto message = parser.parse({good.span().data(), good.span().size()});
    ASSERT_TRUE(message);
    EXPECT_EQ(message->data.size(), 50'002U);
  }
}

TEST(Message, MemberData_MayBeAViewIntoTheMessage) {
  MessageParser parser;
  ws::PaddedBytes bytes(R"({"event":"pusher:signin","data":{"auth":"k:s","user_data":"{\"id\":\"\u00e9\"}"}})");
  const auto message = parser.parse({bytes.span().data(), bytes.span().size()});
  ASSERT_TRUE(message && message->user_data);
  EXPECT_EQ(parser.parse_member(*message->user_data, MemberKind::kSignin)->user_id, "é");
  EXPECT_EQ(message->auth, "k:s");
}

}  // namespace
}  // namespace kilat::pusher
