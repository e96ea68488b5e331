#include "pusher/encode.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <string>
#include <vector>

#include "unit/ws/event_log.h"

namespace kilat::pusher {
namespace {

using hub::Publication;
using Kind = hub::Publication::Kind;

ws::EventLog decode(const net::FramePtr& frame) {
  return ws::read_whole(ws::Reader({.message_bytes_max = 1 << 24, .from_server = true}), frame->bytes());
}

// The one text inside a frame, which must also be JSON.
std::string text(const net::FramePtr& frame) {
  const ws::EventLog log = decode(frame);
  EXPECT_EQ(log.size(), 1U);
  if (log.empty()) return {};
  EXPECT_EQ(log[0].kind, ws::Event::Kind::kText);
  simdjson::dom::parser parser;
  EXPECT_EQ(parser.parse(log[0].payload).error(), simdjson::SUCCESS) << log[0].payload;
  return log[0].payload;
}

std::string json(const hub::PublicationDraft& draft) {
  return publication_json(*Publication::make(draft));
}

hub::JoinReply joined(std::string channel, std::optional<hub::MemberList> members = std::nullopt) {
  hub::JoinReply reply;
  reply.channel = std::move(channel);
  if (members) reply.members = std::make_shared<const hub::MemberList>(std::move(*members));
  return reply;
}

TEST(Encode, ConnectionEstablished_CarriesItsDataAsAString) {
  EXPECT_EQ(text(connection_established("123456.7890123", 120)),
            R"({"event":"pusher:connection_established",)"
            R"("data":"{\"socket_id\":\"123456.7890123\",\"activity_timeout\":120}"})");
}

TEST(Encode, Error_CarriesCodeTextAndRowOfTheTableInAnObject) {
  EXPECT_EQ(text(error_frame(Reason::kAppUnknown)),
            R"({"event":"pusher:error","data":{"code":4001,"message":"App key does not exist",)"
            R"("reason":"app_unknown"}})");
}

TEST(Encode, Error_WithoutACode_SaysNull) {
  EXPECT_EQ(text(error_frame(Reason::kEventUnsupported, "Unsupported event received on socket: \"x\"")),
            R"({"event":"pusher:error","data":{"code":null,)"
            R"("message":"Unsupported event received on socket: \"x\"","reason":"event_unsupported"}})");
}

TEST(Encode, Error_AboutAChannel_NamesIt) {
  EXPECT_EQ(text(error_frame(Reason::kClientEventsDisabled, {}, "private-\"a\\")),
            R"({"event":"pusher:error","channel":"private-\"a\\","data":{"code":4301,)"
            R"("message":"The app does not have client messaging enabled.","reason":"client_events_disabled"}})");
}

TEST(Encode, PingAndPong_AreEmptyObjects) {
  EXPECT_EQ(text(ping_event()), R"({"event":"pusher:ping","data":{}})");
  EXPECT_EQ(text(pong_event()), R"({"event":"pusher:pong","data":{}})");
}

TEST(Encode, ControlFrames_AreWholeFrames) {
  EXPECT_EQ(decode(ping_frame()), (ws::EventLog{{ws::Event::Kind::kPing, "", 0, Reason::kNone}}));
  EXPECT_EQ(decode(pong_frame("x")), (ws::EventLog{{ws::Event::Kind::kPong, "x", 0, Reason::kNone}}));
  EXPECT_EQ(decode(close_frame(4200, "bye")), (ws::EventLog{{ws::Event::Kind::kClose, "bye", 4200, Reason::kNone}}));
  EXPECT_EQ(decode(close_frame(ws::kCloseNoStatus, "")),
            (ws::EventLog{{ws::Event::Kind::kClose, "", ws::kCloseNoStatus, Reason::kNone}}));
}

TEST(Encode, SubscriptionSucceeded_OfAPlainChannel_HasEmptyStringJson) {
  EXPECT_EQ(text(subscription_succeeded(joined("c"))),
            R"({"event":"pusher_internal:subscription_succeeded","channel":"c","data":"{}"})");
  EXPECT_EQ(text(subscription_succeeded("#server-to-user-1")),
            R"({"event":"pusher_internal:subscription_succeeded","channel":"#server-to-user-1","data":"{}"})");
}

TEST(Encode, SubscriptionSucceeded_OfAPresenceChannel_ListsMembersWithStringIds) {
  EXPECT_EQ(text(subscription_succeeded(joined("presence-c", hub::MemberList{{"1", R"({"name":"Ana"})"}, {"2", ""}}))),
            R"({"event":"pusher_internal:subscription_succeeded","channel":"presence-c",)"
            R"("data":"{\"presence\":{\"ids\":[\"1\",\"2\"],)"
            R"(\"hash\":{\"1\":{\"name\":\"Ana\"},\"2\":{}},\"count\":2}}"})");
}

TEST(Encode, SubscriptionSucceeded_OfAnEmptyPresenceChannel_IsAnEmptyList) {
  EXPECT_EQ(text(subscription_succeeded(joined("presence-c", hub::MemberList{}))),
            R"({"event":"pusher_internal:subscription_succeeded","channel":"presence-c",)"
            R"("data":"{\"presence\":{\"ids\":[],\"hash\":{},\"count\":0}}"})");
}

TEST(Encode, PresenceUserIds_AreEscapedTwiceAndKeptInUtf8) {
  const std::string frame =
      text(subscription_succeeded(joined("presence-c", hub::MemberList{{"a\"b\\\n", R"({"n":"é😀"})"}})));
  EXPECT_EQ(frame, R"({"event":"pusher_internal:subscription_succeeded","channel":"presence-c",)"
                   R"("data":"{\"presence\":{\"ids\":[\"a\\\"b\\\\\\n\"],)"
                   R"(\"hash\":{\"a\\\"b\\\\\\n\":{\"n\":\"é😀\"}},\"count\":1}}"})");
}

struct RefusalRow {
  Reason reason;
  const char* type;
  int status;
};

TEST(Encode, SubscriptionError_HasTheTypeAndStatusThatSdksKnow) {
  const RefusalRow rows[] = {{Reason::kChannelNameTooLong, "LimitReached", 4009},
                             {Reason::kPresenceChannelFull, "LimitReached", 4100},
                             {Reason::kTooManySubscriptions, "LimitReached", 4100},
                             {Reason::kPresenceMemberTooBig, "LimitReached", 4301},
                             {Reason::kChannelNameInvalid, "ChannelNameInvalid", 4009},
                             {Reason::kChannelAuthInvalid, "AuthError", 401},
                             {Reason::kChannelAuthKeyInvalid, "AuthError", 401},
                             {Reason::kPresenceDataInvalid, "AuthError", 401},
                             {Reason::kUserChannelRefused, "AuthError", 401}};
  for (const RefusalRow& row : rows) {
    const ReasonRow& reason = reason_row(row.reason);
    EXPECT_EQ(text(subscription_error(row.reason, "c")),
              std::string(R"({"event":"pusher:subscription_error","channel":"c","data":{"type":")") + row.type +
                  R"(","error":")" + std::string(reason.text) + R"(","status":)" + std::to_string(row.status) +
                  R"(,"reason":")" + std::string(reason.id) + R"("}})");
  }
}

TEST(Encode, CacheMiss_CarriesEmptyStringJson) {
  EXPECT_EQ(text(cache_miss("cache-c")), R"({"event":"pusher:cache_miss","channel":"cache-c","data":"{}"})");
}

TEST(Encode, SigninSuccess_EchoesTheUserDataAsAString) {
  EXPECT_EQ(text(signin_success(R"({"id":"42"})")),
            R"({"event":"pusher:signin_success","data":{"user_data":"{\"id\":\"42\"}"}})");
}

TEST(Encode, WatchlistEvents_LeaveOutTheEmptyList) {
  const std::vector<std::string> one{"1"};
  const std::vector<std::string> two{"2", "3\""};
  EXPECT_EQ(text(watchlist_events(one, {})), R"({"event":"pusher_internal:watchlist_events",)"
                                             R"("data":"{\"events\":[{\"name\":\"online\",\"user_ids\":[\"1\"]}]}"})");
  EXPECT_EQ(text(watchlist_events({}, one)), R"({"event":"pusher_internal:watchlist_events",)"
                                             R"("data":"{\"events\":[{\"name\":\"offline\",\"user_ids\":[\"1\"]}]}"})");
  EXPECT_EQ(text(watchlist_events(one, two)), R"({"event":"pusher_internal:watchlist_events",)"
                                              R"("data":"{\"events\":[{\"name\":\"online\",\"user_ids\":[\"1\"]},)"
                                              R"({\"name\":\"offline\",\"user_ids\":[\"2\",\"3\\\"\"]}]}"})");
}

TEST(Encode, Event_CarriesDataByteForByte) {
  EXPECT_EQ(json({.channel = "c", .event = "order.new", .data = R"("{\"a\": 1}\u00e9")"}),
            R"({"event":"order.new","channel":"c","data":"{\"a\": 1}\u00e9"})");
}

TEST(Encode, ClientEventOnPresence_NamesItsSenderByAString) {
  EXPECT_EQ(json({.from_client = true,
                  .channel = "presence-c",
                  .event = "client-x",
                  .data = R"({"a":[1,2]})",
                  .user_id = "42"}),
            R"({"event":"client-x","channel":"presence-c","data":{"a":[1,2]},"user_id":"42"})");
}

TEST(Encode, EventAndChannelNames_AreEscaped) {
  EXPECT_EQ(json({.channel = "a\"\x01", .event = "e\\\t", .data = "null"}),
            R"({"event":"e\\\t","channel":"a\"\u0001","data":null})");
}

TEST(Encode, MemberAdded_HasUserInfoOnlyWhenThereIsOne) {
  EXPECT_EQ(json({.kind = Kind::kMemberAdded, .channel = "presence-c", .data = R"({"n":1})", .user_id = "3"}),
            R"({"event":"pusher_internal:member_added","channel":"presence-c",)"
            R"("data":"{\"user_id\":\"3\",\"user_info\":{\"n\":1}}"})");
  EXPECT_EQ(json({.kind = Kind::kMemberAdded, .channel = "presence-c", .user_id = "3"}),
            R"({"event":"pusher_internal:member_added","channel":"presence-c","data":"{\"user_id\":\"3\"}"})");
}

TEST(Encode, MemberRemoved_HasTheUserIdAlone) {
  EXPECT_EQ(json({.kind = Kind::kMemberRemoved, .channel = "presence-c", .data = "{}", .user_id = "3"}),
            R"({"event":"pusher_internal:member_removed","channel":"presence-c","data":"{\"user_id\":\"3\"}"})");
}

TEST(Encode, SubscriptionCount_IsANumberInsideAString) {
  EXPECT_EQ(json({.kind = Kind::kSubscriptionCount, .channel = "c", .number = 12}),
            R"({"event":"pusher_internal:subscription_count","channel":"c","data":"{\"subscription_count\":12}"})");
}

TEST(Encode, TextFrame_UsesTheShortestLength) {
  for (const size_t size : {0U, 125U, 126U, 65'535U, 65'536U}) {
    const net::FramePtr frame = text_frame(std::string(size, 'x'));
    const size_t header = size < 126 ? 2 : size < 65'536 ? 4 : 10;
    EXPECT_EQ(frame->size(), size + header);
    EXPECT_EQ(decode(frame).at(0).payload.size(), size);
  }
}

// docs/protocol.md: the error first, then a close frame with the same code; never a close with 43xx.
TEST(Encode, ClosingFrames_OfEveryClosingRow_SayTheRowsCodes) {
  for (const ReasonRow& row : reason_table()) {
    if (row.close_code == 0) continue;
    const ws::EventLog log = decode(closing_frames(row.reason));
    const bool with_error = row.pusher_code != kNoPusherCode;
    ASSERT_EQ(log.size(), with_error ? 2U : 1U) << row.id;
    if (with_error) {
      EXPECT_EQ(log[0].payload, text(error_frame(row.reason)));
    }
    EXPECT_EQ(log.back().kind, ws::Event::Kind::kClose) << row.id;
    EXPECT_EQ(log.back().close_code, row.close_code);
    EXPECT_EQ(log.back().payload, row.text);
    EXPECT_LT(row.close_code, 4300) << row.id;
  }
}

TEST(Encode, ClosingFrames_OfARowWithoutACloseCode_Say1011) {
  EXPECT_EQ(decode(closing_frames(Reason::kMessageMalformed)).back().close_code, 1011);
}

}  // namespace
}  // namespace kilat::pusher
