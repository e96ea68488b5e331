#include "socketio/packet.h"

#include <gtest/gtest.h>

#include <string>

#include "unit/ws/event_log.h"

namespace kilat::socketio {
namespace {

using Type = Packet::Type;

constexpr uint32_t kAttachmentsMax = 10;

Packet parsed(std::string_view text) {
  Packet packet;
  EXPECT_EQ(parse_packet(text, kAttachmentsMax, packet), Reason::kNone) << text;
  return packet;
}
Reason sin_of(std::string_view text) {
  Packet packet;
  return parse_packet(text, kAttachmentsMax, packet);
}

TEST(Packet, Connect_OfEveryForm) {
  for (const char* text : {"0", "0/,", "0/"}) {
    const Packet packet = parsed(text);
    EXPECT_EQ(packet.type, Type::kConnect);
    EXPECT_EQ(packet.nsp, "/") << text;
    EXPECT_FALSE(packet.id);
    EXPECT_TRUE(packet.payload.empty());
  }
  EXPECT_EQ(parsed("0{}").payload, "{}");
  EXPECT_EQ(parsed("0/nope").nsp, "/nope");
  EXPECT_EQ(parsed("0/nope,").nsp, "/nope");
  // In protocol 5 the query is part of the name.
  EXPECT_EQ(parsed("0/custom?x=1,{\"a\":2}").nsp, "/custom?x=1");
  EXPECT_EQ(parsed("0/custom?x=1,{\"a\":2}").payload, "{\"a\":2}");
}

TEST(Packet, Event_InParts) {
  const Packet packet = parsed(R"(2/admin,456["project:delete",123])");
  EXPECT_EQ(packet.type, Type::kEvent);
  EXPECT_EQ(packet.nsp, "/admin");
  EXPECT_EQ(packet.id, 456U);
  EXPECT_EQ(packet.payload, R"(["project:delete",123])");
  EXPECT_FALSE(packet.binary());
  EXPECT_EQ(parsed(R"(2["a"])").id, std::nullopt);
}

TEST(Packet, Binary_CountsItsAttachments) {
  const Packet packet = parsed(R"(51-/custom,12["echo",{"_placeholder":true,"num":0}])");
  EXPECT_EQ(packet.type, Type::kBinaryEvent);
  EXPECT_TRUE(packet.binary());
  EXPECT_EQ(packet.attachments, 1U);
  EXPECT_EQ(packet.nsp, "/custom");
  EXPECT_EQ(packet.id, 12U);
  EXPECT_EQ(parsed("610-[]").attachments, 10U);
  EXPECT_EQ(parsed("601-[]").attachments, 1U);
  EXPECT_EQ(parsed("51-").payload, "");
}

TEST(Packet, Id_HasAtMostFifteenDigits) {
  EXPECT_EQ(parsed("2007[]").id, 7U);
  EXPECT_EQ(parsed("2999999999999999[]").id, 999'999'999'999'999U);
  EXPECT_EQ(parsed("21").id, 1U);
  EXPECT_EQ(sin_of("21000000000000000[]"), Reason::kSioPacketInvalid);
  EXPECT_EQ(sin_of("2" + std::string(400, '9') + "[]"), Reason::kSioPacketInvalid);
}

TEST(Packet, Namespace_HasABound) {
  EXPECT_EQ(parsed("0/" + std::string(kNamespaceBytesMax - 1, 'n') + ",").nsp.size(), kNamespaceBytesMax);
  EXPECT_EQ(sin_of("0/" + std::string(kNamespaceBytesMax, 'n') + ","), Reason::kSioPacketInvalid);
  EXPECT_EQ(sin_of("0/" + std::string(1 << 20, 'n')), Reason::kSioPacketInvalid);
}

TEST(Packet, NamespaceThatIsNoUtf8_IsRefused) {
  EXPECT_EQ(parsed("0/\xc3\xa9,").nsp, "/\xc3\xa9");
  EXPECT_EQ(sin_of("0/\xff,"), Reason::kSioPacketInvalid);
  EXPECT_EQ(sin_of("0/\xc3"), Reason::kSioPacketInvalid);
}

TEST(Packet, Malformed_IsRefused) {
  for (const char* text : {"",       "7",       "7[\"x\"]", "a",       "x",      "-1",     " 2[]",           "0custom",
                           "0\"s\"", "0null",   "0/a,b",    "2-1[]",   "21.5[]", "2abc[]", "2 [\"echo\",1]", "2\"x\"",
                           "2true",  "2/a, []", "5",        "5[]",     "5-[]",   "50-[]",  "5-1-[]",         "51",
                           "5 1-[]", "5+1-[]",  "51.0-[]",  "51-2-[]", "6",      "6[]",    "60-[]"}) {
    EXPECT_EQ(sin_of(text), Reason::kSioPacketInvalid) << text;
  }
}

TEST(Packet, TooManyAttachments_HaveARowOfTheirOwn) {
  for (const char* text : {"511-[]", "611-[]", "5999999-[]",
                           "5"
                           "18446744073709551617-[]",
                           "50000001-[]"}) {
    EXPECT_EQ(sin_of(text), Reason::kSioTooManyAttachments) << text;
  }
}

TEST(Packet, WhateverIsCutOff_NeverReadsOverTheEnd) {
  const std::string whole = R"(610-/namespace,123456789012345[{"_placeholder":true,"num":0}])";
  for (size_t size = 0; size <= whole.size(); ++size) {
    const std::string piece = whole.substr(0, size);  // an allocation of its own
    Packet packet;
    if (parse_packet(piece, kAttachmentsMax, packet) != Reason::kNone) continue;
    EXPECT_LE(packet.nsp.size() + packet.payload.size(), size);
  }
}

TEST(Packet, HeadOfAPacket_IsParsedBack) {
  for (const Type type : {Type::kConnect, Type::kDisconnect, Type::kEvent, Type::kAck, Type::kConnectError,
                          Type::kBinaryEvent, Type::kBinaryAck}) {
    for (const char* nsp : {"/", "/custom"}) {
      for (const std::optional<uint64_t> id :
           {std::optional<uint64_t>(), std::optional<uint64_t>(0), std::optional<uint64_t>(999'999'999'999'999)}) {
        const bool binary = type == Type::kBinaryEvent || type == Type::kBinaryAck;
        const std::string text = packet_head(type, nsp, id, binary ? 3 : 0) + "[]";
        ASSERT_EQ(text.front(), '4');
        const Packet packet = parsed(std::string_view(text).substr(1));
        EXPECT_EQ(packet.type, type);
        EXPECT_EQ(packet.nsp, nsp);
        EXPECT_EQ(packet.id, id);
        EXPECT_EQ(packet.attachments, binary ? 3U : 0U);
        EXPECT_EQ(packet.payload, "[]");
      }
    }
  }
}

TEST(Packet, Messages_AreWebSocketFramesOfText) {
  const auto text_of = [](const net::FramePtr& frame) {
    ws::Reader reader({.message_bytes_max = 1 << 20, .from_server = true});
    const ws::EventLog log = ws::read_whole(std::move(reader), frame->bytes());
    return log.size() == 1 && log[0].kind == ws::Event::Kind::kText ? log[0].payload : std::string("<broken>");
  };
  EXPECT_EQ(text_of(ping_message()), "2");
  EXPECT_EQ(text_of(noop_message()), "6");
  EXPECT_EQ(text_of(probe_answer()), "3probe");
  EXPECT_EQ(text_of(packet_message(Type::kAck, "/custom", 7, "[1]")), "43/custom,7[1]");
  EXPECT_EQ(text_of(packet_message(Type::kDisconnect, "/", {}, {})), "41");
  const std::string large = "4" + std::string(70'000, 'x');
  EXPECT_TRUE(text_of(text_message(large)) == large);
}

}  // namespace
}  // namespace kilat::socketio
