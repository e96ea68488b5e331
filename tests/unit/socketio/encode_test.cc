// Publications as the packets that clients get.
#include "socketio/encode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/base64.h"
#include "unit/ws/event_log.h"
#include "ws/deflate.h"

namespace kilat::socketio {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = hub::PublicationDraft::Kind;
using Log = std::vector<std::string>;

struct Encode : ::testing::Test {
  Log read(const net::FramePtr& frame) {
    const ws::EventLog events = ws::read_whole(
        ws::Reader({.message_bytes_max = 1 << 20, .inflater = &inflater, .from_server = true}), frame->bytes());
    Log log;
    for (const ws::LoggedEvent& event : events) {
      if (event.kind == ws::Event::Kind::kText) {
        log.push_back(event.payload);
      } else if (event.kind == ws::Event::Kind::kBinary) {
        append_base64(log.emplace_back("b"), event.payload);
      } else {
        log.emplace_back("<broken>");
      }
    }
    return log;
  }
  Log frames(const hub::PublicationDraft& draft, const EncodeOptions& options = {}) {
    return read(encoder.frame(*hub::Publication::make(draft), root, options));
  }

  const Namespace root{.name = "/", .app = 0, .scope = ""};
  const Namespace custom{.name = "/custom", .app = 0, .scope = "custom:"};
  ws::Inflater inflater;
  ws::Deflater deflater;
  ContentParser parser;
  PublicationEncoder encoder{parser};
};

TEST_F(Encode, EventOfPusher_HasItsDataAsTheOnlyArgument) {
  EXPECT_THAT(frames({.channel = "c", .event = "e \"é\"", .data = R"("{\"a\":12345678901234567890}")"}),
              ElementsAre(R"(42["e \"é\"",{"a":12345678901234567890}])"));
  EXPECT_THAT(frames({.channel = "c", .event = "e", .data = R"("text")"}), ElementsAre(R"(42["e","text"])"));
  EXPECT_THAT(frames({.channel = "c", .event = "e", .data = ""}), ElementsAre(R"(42["e",null])"));
}

TEST_F(Encode, EventOfSocketIo_HasItsArguments) {
  for (const auto& [arguments, text] : {std::pair<std::string, std::string>{"[]", R"(42["e"])"},
                                        {"[ \n ]", R"(42["e"])"},
                                        {R"([1,"x",{"a":[2]}])", R"(42["e",1,"x",{"a":[2]}])"},
                                        {"[null]", R"(42["e",null])"}}) {
    const std::string packet = pack(arguments, {});
    EXPECT_THAT(frames({.event = "e", .data = "0", .packet = packet}), ElementsAre(text));
  }
}

TEST_F(Encode, Attachments_FollowAsBinary) {
  const std::vector<std::string_view> bytes = {"\x01\x02\x03", ""};
  const std::string packet = pack(R"([{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}])", bytes);
  const hub::PublicationDraft draft{.event = "e", .packet = packet};
  EXPECT_THAT(frames(draft),
              ElementsAre(R"(452-["e",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}])", "bAQID", "b"));
  EXPECT_THAT(
      frames(draft, {.offset = "k7"}),
      ElementsAre(R"(452-["e",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0},"k7"])", "bAQID", "b"));
  EXPECT_THAT(
      read(encoder.asking_frame(*hub::Publication::make(draft), custom, 12)),
      ElementsAre(R"(452-/custom,12["e",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}])", "bAQID", "b"));
}

TEST_F(Encode, Offset_IsTheLastArgument) {
  EXPECT_THAT(frames({.event = "e", .data = "1"}, {.offset = "k7"}), ElementsAre(R"(42["e",1,"k7"])"));
  const std::string packet = pack("[]", {});
  EXPECT_THAT(frames({.event = "e", .packet = packet}, {.offset = "k7"}), ElementsAre(R"(42["e","k7"])"));
}

TEST_F(Encode, Namespace_IsNamedUnlessItIsTheRoot) {
  EXPECT_THAT(read(encoder.frame(*hub::Publication::make({.event = "e", .data = "1"}), custom)),
              ElementsAre(R"(42/custom,["e",1])"));
  EXPECT_THAT(read(encoder.asking_frame(*hub::Publication::make({.event = "e", .data = "1"}), root, 3)),
              ElementsAre(R"(423["e",1])"));
}

TEST_F(Encode, Members_ComeAndGoUnderTheNameOfTheRoom) {
  const auto added = hub::Publication::make(
      {.kind = Kind::kMemberAdded, .channel = "presence-custom:r", .data = R"({"n":1})", .user_id = "7"});
  EXPECT_THAT(read(encoder.frame(*added, custom)),
              ElementsAre(R"(42/custom,["member_added",{"channel":"presence-r","user_id":"7","user_info":{"n":1}}])"));
  EXPECT_THAT(frames({.kind = Kind::kMemberAdded, .channel = "presence-r", .user_id = "7"}),
              ElementsAre(R"(42["member_added",{"channel":"presence-r","user_id":"7"}])"));
  EXPECT_THAT(frames({.kind = Kind::kMemberRemoved, .channel = "presence-r", .user_id = "\"7"}),
              ElementsAre(R"(42["member_removed",{"channel":"presence-r","user_id":"\"7"}])"));
}

TEST_F(Encode, WhatSocketIoHasNoEventFor_IsNothing) {
  EXPECT_THAT(frames({.kind = Kind::kSubscriptionCount, .channel = "c", .number = 3}), IsEmpty());
  EXPECT_THAT(frames({.kind = Kind::kKick, .channel = "c"}), IsEmpty());
}

TEST_F(Encode, Deflated_TextIsCompressedAndAttachmentsAreNot) {
  const std::string data = "\"" + std::string(2'000, 'x') + "\"";
  const hub::PublicationDraft draft{.event = "e", .data = data};
  const net::FramePtr plain = encoder.frame(*hub::Publication::make(draft), root);
  const net::FramePtr deflated = encoder.frame(*hub::Publication::make(draft), root, {.deflater = &deflater});
  EXPECT_LT(deflated->size(), plain->size() / 10);
  EXPECT_EQ(read(deflated), read(plain));
  const std::string list = "[" + data + R"(,{"_placeholder":true,"num":0}])";
  const std::vector<std::string_view> bytes = {"\x01"};
  const std::string packet = pack(list, bytes);
  EXPECT_EQ(frames({.event = "e", .packet = packet}, {.deflater = &deflater}),
            frames({.event = "e", .packet = packet}));
}

TEST_F(Encode, AfterALargeEvent_SmallOnesAreStillRight) {
  const std::string data = "\"" + std::string(200'000, 'x') + "\"";
  EXPECT_TRUE(frames({.event = "e", .data = data}) == Log{R"(42["e",)" + data + "]"});
  EXPECT_THAT(frames({.event = "e", .data = "1"}), ElementsAre(R"(42["e",1])"));
}

}  // namespace
}  // namespace kilat::socketio
