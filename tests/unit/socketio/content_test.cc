#include "socketio/content.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kilat::socketio {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kBigNumber = "12345678901234567890123";

struct Content : ::testing::Test {
  std::optional<std::string> take(std::string_view json) {
    attachments.clear();
    return parser.take_binary(json, attachments);
  }
  std::string put(std::string_view json, const std::vector<std::string_view>& bytes) {
    return parser.put_binary(json, bytes);
  }
  std::string argument(std::string_view data) {
    std::string out;
    parser.append_argument(out, data);
    return out;
  }

  ContentParser parser;
  std::vector<std::string> attachments;
};

// --- events

TEST_F(Content, Event_IsNameAndRawArguments) {
  const std::string json = R"( ["say \u00e9" , {"a": [1,2]},"x,]" ,null, )" + std::string(kBigNumber) + "] ";
  const auto event = parser.parse_event(json);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->name, "say é");
  EXPECT_FALSE(event->numeric);
  EXPECT_THAT(event->arguments, ElementsAre(R"({"a": [1,2]})", R"("x,]")", "null", kBigNumber));
}

TEST_F(Content, NumericEvent_IsLegalButHasNoName) {
  for (const char* json : {"[1,2]", "[-0.5]", "[12345678901234567890123]"}) {
    const auto event = parser.parse_event(json);
    ASSERT_TRUE(event) << json;
    EXPECT_TRUE(event->numeric);
    EXPECT_EQ(event->name, "");
  }
  EXPECT_THAT(parser.parse_event("[1,2]")->arguments, ElementsAre("2"));
  EXPECT_THAT(parser.parse_event(R"([""])")->arguments, IsEmpty());
}

// JavaScript reads one as infinity; it is carried over as it is.
TEST_F(Content, NumbersOutOfRange_AreCarriedOver) {
  const auto event = parser.parse_event(R"(["e",1e400,{"a":-1E+9999}])");
  ASSERT_TRUE(event);
  EXPECT_THAT(event->arguments, ElementsAre("1e400", R"({"a":-1E+9999})"));
  EXPECT_TRUE(parser.is_array("[1e400]"));
  EXPECT_TRUE(parser.placeholders_valid(R"([1e400,{"_placeholder":true,"num":0}])", 1));
  EXPECT_EQ(argument(R"("1e400")"), "1e400");
  const auto request = parser.parse_request(R"({"channel":"c","event":"client-e","data":1e400})");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->data, "1e400");
}

TEST_F(Content, NoEvent_IsRefused) {
  for (const char* json : {"", "[]", "[null]", "[true]", "[{}]", "[[]]", R"({"a":1})", R"("x")", "1", R"(["echo")",
                           R"(["echo",1]x)", R"(["echo",])", "[\"a\x1e\"]", "[\"\xff\"]"}) {
    EXPECT_FALSE(parser.parse_event(json)) << json;
  }
}

TEST_F(Content, DeepNesting_IsRefusedNotFollowed) {
  const std::string deep = R"(["e",)" + std::string(100'000, '[') + std::string(100'000, ']') + "]";
  EXPECT_FALSE(parser.parse_event(deep));
  EXPECT_FALSE(parser.placeholders_valid(deep, 1));
  const std::string allowed = R"(["e",)" + std::string(200, '[') + std::string(200, ']') + "]";
  EXPECT_TRUE(parser.parse_event(allowed));
  EXPECT_TRUE(parser.placeholders_valid(allowed, 1));
}

TEST_F(Content, ObjectsAndArrays_AreToldApart) {
  EXPECT_TRUE(parser.is_object(R"({"token":"123"})"));
  EXPECT_TRUE(parser.is_array(" [1] "));
  for (const char* json : {"", "null", "1", R"("x")", "{bad", "[1"}) {
    EXPECT_FALSE(parser.is_object(json)) << json;
    EXPECT_FALSE(parser.is_array(json)) << json;
  }
  EXPECT_FALSE(parser.is_object("[]"));
  EXPECT_FALSE(parser.is_array("{}"));
}

// --- placeholders

TEST_F(Content, Placeholders_NameAttachmentsThatAreThere) {
  for (const char* json : {R"(["e",{"_placeholder":true,"num":0}])", R"(["e",{"num":1,"_placeholder":true}])",
                           R"(["e",{"deep":[{"_placeholder":true,"num":1}]}])", R"(["plain"])",
                           R"(["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}])",
                           R"(["e",{"_placeholder":false,"num":9}])", R"(["e",{"_placeholder":"true","num":9}])"}) {
    EXPECT_TRUE(parser.placeholders_valid(json, 2)) << json;
  }
  for (const char* json :
       {R"(["e",{"_placeholder":true,"num":2}])", R"(["e",{"_placeholder":true,"num":-1}])",
        R"(["e",{"_placeholder":true,"num":"0"}])", R"(["e",{"_placeholder":true}])",
        R"(["e",{"_placeholder":true,"num":0.5}])", R"(["e",{"_placeholder":true,"num":null}])",
        R"(["e",{"_placeholder":true,"num":18446744073709551616}])", R"(["e",{"\u005fplaceholder":true,"num":5}])",
        R"(["e",[[{"a":{"_placeholder":true,"num":5}}]]])", "not json"}) {
    EXPECT_FALSE(parser.placeholders_valid(json, 2)) << json;
  }
}

// --- what the built-in events take

TEST_F(Content, Request_IsAStringOrAnObject) {
  auto request = parser.parse_request(R"("private-\u00e9")");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->channel, "private-é");
  EXPECT_FALSE(request->auth);
  request = parser.parse_request(
      R"({"event":"client-x","data": {"a":1} ,"channel":"c","auth":"k:s","channel_data":"{}","user_data":"u"})");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->channel, "c");
  EXPECT_EQ(request->auth, "k:s");
  EXPECT_EQ(request->channel_data, "{}");
  EXPECT_EQ(request->user_data, "u");
  EXPECT_EQ(request->event, "client-x");
  EXPECT_EQ(request->data, R"({"a":1})");
}

TEST_F(Content, FieldsOfAnotherType_AreMissing) {
  const auto request = parser.parse_request(R"({"channel":1,"auth":null,"channel_data":{},"event":[]})");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->channel, "");
  EXPECT_FALSE(request->auth);
  EXPECT_FALSE(request->channel_data);
  EXPECT_EQ(request->event, "");
  EXPECT_EQ(request->data, "");
  for (const char* json : {"", "1", "null", "[]", "{", "\"x"}) EXPECT_FALSE(parser.parse_request(json)) << json;
}

TEST_F(Content, Member_IsReadAsStrictlyAsForPusher) {
  const auto member = parser.parse_member(R"({"user_id":7,"user_info": {"n": 1} })", MemberKind::kPresence);
  ASSERT_TRUE(member);
  EXPECT_EQ(member->user_id, "7");
  EXPECT_EQ(member->user_info, R"({"n": 1})");
  EXPECT_FALSE(parser.parse_member(R"({"user_id":"u","user_info":"text"})", MemberKind::kPresence));
  EXPECT_FALSE(parser.parse_member(R"({"id":7})", MemberKind::kSignin));
}

TEST_F(Content, RecoveryPayload_TellsNoOffsetFromAForeignOne) {
  auto recovery = parser.parse_recovery(R"({"pid":"p","offset":"o","token":1})");
  ASSERT_TRUE(recovery);
  EXPECT_EQ(recovery->pid, "p");
  EXPECT_EQ(recovery->offset, "o");
  EXPECT_EQ(parser.parse_recovery(R"({"pid":"p"})")->offset, std::nullopt);
  EXPECT_EQ(parser.parse_recovery(R"({"pid":"p","offset":7})")->offset, "");
  EXPECT_EQ(parser.parse_recovery(R"({"pid":"p","offset":null})")->offset, "");
  for (const char* json : {"{}", R"({"pid":1})", R"({"offset":"o"})", "[]", "", R"("pid")"}) {
    EXPECT_FALSE(parser.parse_recovery(json)) << json;
  }
}

// --- Pusher's data and arguments

TEST_F(Content, TextThatIsJson_BecomesTheValue) {
  EXPECT_EQ(argument(R"("{\"a\": [1,\"x\"]}")"), R"({"a": [1,"x"]})");
  EXPECT_EQ(argument(R"("12345678901234567890123")"), kBigNumber);
  EXPECT_EQ(argument(R"("null")"), "null");
  EXPECT_EQ(argument(R"("\"quoted\"")"), R"("quoted")");
  EXPECT_EQ(argument(R"("[\"\\ud83d\"]")"), R"(["\ud83d"])");
}

TEST_F(Content, TextThatIsNoJson_StaysAText) {
  for (const char* data :
       {R"("hello")", R"("{")", R"("")", R"("{\"a\":1}x")", R"("[\"\u001e\"]")", R"("\u0000")", R"("[1]\u001e")"}) {
    EXPECT_EQ(argument(data), data);
  }
}

TEST_F(Content, OtherData_IsTheArgumentAsItIs) {
  for (const char* data : {R"({"a":1})", "[1,2]", "12345678901234567890", "null", "true"}) {
    EXPECT_EQ(argument(data), data);
  }
  EXPECT_EQ(argument(""), "null");
}

// --- $binary

TEST_F(Content, Binary_BecomesAttachmentsAndComesBack) {
  const std::string json =
      R"([1,{"$binary":"AQID"},{"a":[{"$binary":""}],"b":"{\"$binary\":\"x\"}"},{"$binary":"/w=="}])";
  const auto packed = take(json);
  ASSERT_TRUE(packed);
  EXPECT_EQ(*packed, R"([1,{"_placeholder":true,"num":0},{"a":[{"_placeholder":true,"num":1}],)"
                     R"("b":"{\"$binary\":\"x\"}"},{"_placeholder":true,"num":2}])");
  EXPECT_THAT(attachments, ElementsAre("\x01\x02\x03", "", "\xff"));
  EXPECT_TRUE(parser.placeholders_valid(*packed, attachments.size()));
  EXPECT_EQ(put(*packed, {attachments[0], attachments[1], attachments[2]}), json);
}

TEST_F(Content, BinaryWithWhiteSpace_IsFound) {
  const auto packed = take("[ {\n\t\"$binary\" : \"AQID\" } ]");
  ASSERT_TRUE(packed);
  EXPECT_EQ(*packed, R"([ {"_placeholder":true,"num":0} ])");
}

TEST_F(Content, WhatIsNoBinary_StaysAsItIs) {
  for (const char* json :
       {"[]", R"([{"$binary":"AQID","more":1}])", R"([{"more":1,"$binary":"AQID"}])", R"([{"$binary":1}])",
        R"([{"$binary":null}])", R"(["$binary"])", R"(["{\"$binary\":\"AQID\"}"])", R"([{"$Binary":"AQID"}])",
        R"(["\\",{"a":"\""}])", R"([{"_placeholder":true,"num":0}])"}) {
    EXPECT_EQ(take(json), json);
    EXPECT_THAT(attachments, IsEmpty()) << json;
  }
}

TEST_F(Content, BrokenBase64_IsRefused) {
  for (const char* json : {R"([{"$binary":"A"}])", R"([{"$binary":"AQ ID"}])", R"([{"$binary":"-_--"}])",
                           R"([{"$binary":"AQID"},{"$binary":"é"}])"}) {
    EXPECT_FALSE(take(json)) << json;
  }
}

TEST_F(Content, PlaceholdersOfTheUser_AreRefusedBesideAttachments) {
  EXPECT_FALSE(take(R"([{"$binary":"AQID"},{"_placeholder":true,"num":0}])"));
  EXPECT_FALSE(take(R"([{"_placeholder":true,"num":7},{"$binary":"AQID"}])"));
  EXPECT_TRUE(take(R"([{"$binary":"AQID"},"a \"_placeholder\" in a text"])"));
}

// A receiver reads keys with their escapes resolved.
TEST_F(Content, PlaceholdersWithEscapes_AreRefusedBesideAttachments) {
  EXPECT_FALSE(take(R"([{"$binary":"AQID"},{"\u005fplaceholder":true,"num":7}])"));
}

TEST_F(Content, PutBinary_LeavesForeignPlaceholders) {
  EXPECT_EQ(
      put(R"([{"_placeholder":true,"num":3},{"num":0,"_placeholder":true},{"_placeholder":1,"num":0}])", {"\x01"}),
      R"([{"_placeholder":true,"num":3},{"$binary":"AQ=="},{"_placeholder":1,"num":0}])");
  EXPECT_EQ(put(R"({"num":1})", {"x"}), R"({"num":1})");
}

// --- packing

TEST_F(Content, PackedPacket_IsUnpackedToTheSame) {
  const std::string large(70'000, 'x');
  const std::vector<std::string_view> bytes = {"", std::string_view("\0\x1e", 2), large};
  for (size_t count = 0; count <= bytes.size(); ++count) {
    const std::span<const std::string_view> some = std::span(bytes).first(count);
    const std::string packet = pack(R"(["a",1])", some);
    const Unpacked unpacked = unpack(packet);
    EXPECT_EQ(unpacked.arguments, R"(["a",1])");
    EXPECT_EQ(unpacked.attachments, std::vector<std::string_view>(some.begin(), some.end()));
  }
  EXPECT_EQ(unpack(pack("", {})).arguments, "");
}

}  // namespace
}  // namespace kilat::socketio
