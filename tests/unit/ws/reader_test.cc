#include "ws/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "unit/ws/event_log.h"

namespace kilat::ws {
namespace {

using Kind = Event::Kind;
using testing::ElementsAre;

constexpr uint32_t kMask = 0x3d21fa37;

std::string frame(Opcode opcode, std::string_view payload, bool fin = true) {
  return encode_masked_frame(opcode, payload, kMask, false, fin);
}
std::string text(std::string_view payload, bool fin = true) {
  return frame(Opcode::kText, payload, fin);
}
std::string more(std::string_view payload, bool fin) {
  return frame(Opcode::kContinuation, payload, fin);
}

LoggedEvent event(Kind kind, std::string_view payload) {
  return {kind, std::string(payload), 0, Reason::kNone};
}
LoggedEvent error(Reason reason) {
  return {Kind::kError, "", reason_row(reason).close_code, reason};
}
LoggedEvent closed(uint16_t code, std::string_view payload) {
  return {Kind::kClose, std::string(payload), code, Reason::kNone};
}

EventLog read(std::string_view bytes, uint32_t max = 1 << 20) {
  const ReaderOptions options{.message_bytes_max = max};
  const EventLog log = read_whole(Reader(options), bytes);
  // Every test of one session is a test of every split of it.
  if (bytes.size() < 5000) {
    for (size_t at = 0; at <= bytes.size(); ++at) EXPECT_EQ(read_split(Reader(options), bytes, at), log) << at;
  }
  for (const size_t piece : {1, 2, 3, 7, 64}) EXPECT_EQ(read_in_pieces(Reader(options), bytes, piece), log) << piece;
  return log;
}

TEST(Messages, EverySizeAroundTheLengthForms_ComesThrough) {
  for (const size_t size : {0, 1, 124, 125, 126, 127, 128, 1000, 65535, 65536, 65537, 200000}) {
    std::string payload(size, 'x');
    for (size_t i = 0; i < size; ++i) payload[i] = static_cast<char>('a' + i % 26);
    EXPECT_THAT(read(text(payload)), ElementsAre(event(Kind::kText, payload))) << size;
    EXPECT_THAT(read(frame(Opcode::kBinary, payload)), ElementsAre(event(Kind::kBinary, payload))) << size;
  }
}

TEST(Messages, SeveralInOneInput_ComeOneByOne) {
  EXPECT_THAT(
      read(text("one") + frame(Opcode::kPing, "p") + frame(Opcode::kBinary, std::string("\0\xff", 2)) + text("")),
      ElementsAre(event(Kind::kText, "one"), event(Kind::kPing, "p"), event(Kind::kBinary, std::string("\0\xff", 2)),
                  event(Kind::kText, "")));
}

TEST(Messages, WholeInTheInput_IsAViewIntoTheInput) {
  PaddedBytes bytes(text("Hello"));
  std::span<char> in = bytes.span();
  Reader reader{ReaderOptions{}};
  const Event got = reader.next(in);
  EXPECT_EQ(got.payload.data(), bytes.span().data() + 6);
  EXPECT_TRUE(in.empty());
}

TEST(Messages, PayloadWholeBehindASplitHeader_IsAViewIntoTheInput) {
  Reader reader{ReaderOptions{}};
  const std::string whole = text("Hello");
  EventLog log;
  ASSERT_TRUE(feed(reader, std::string_view(whole).substr(0, 4), log));
  PaddedBytes rest(std::string_view(whole).substr(4));
  std::span<char> in = rest.span();
  EXPECT_EQ(reader.next(in).payload.data(), rest.span().data() + 2);
}

TEST(Fragments, Message_IsPutTogether) {
  EXPECT_THAT(read(text("Hel", false) + more("lo ", false) + more("World", true) + text("next")),
              ElementsAre(event(Kind::kText, "Hello World"), event(Kind::kText, "next")));
  EXPECT_THAT(read(frame(Opcode::kBinary, "\xff", false) + more("\xfe", true)),
              ElementsAre(event(Kind::kBinary, "\xff\xfe")));
}

TEST(Fragments, EmptyOnes_AreFine) {
  EXPECT_THAT(read(text("", false) + more("", false) + more("", true)), ElementsAre(event(Kind::kText, "")));
  EXPECT_THAT(read(text("", false) + more("abc", false) + more("", true)), ElementsAre(event(Kind::kText, "abc")));
  EXPECT_THAT(read(text("", false) + more("", false) + more("abc", true)), ElementsAre(event(Kind::kText, "abc")));
}

TEST(Fragments, EmptyOnesWithoutEnd_AreRefusedAtTheirBound) {
  std::string session = text("a", false);
  for (int i = 0; i < Reader::kEmptyFragmentsMax; ++i) session += more("", false);
  EXPECT_THAT(read(session + more("b", true)), ElementsAre(event(Kind::kText, "ab")));
  EXPECT_THAT(read(session + more("", true)), ElementsAre(error(Reason::kWsTooManyFragments)));
  // The second byte shows it; and each message counts anew, fragments with bytes not at all.
  EXPECT_THAT(read(session + more("", true).substr(0, 2)), ElementsAre(error(Reason::kWsTooManyFragments)));
  EXPECT_THAT(read(session + more("b", true) + session + more("c", false) + more("d", true)),
              ElementsAre(event(Kind::kText, "ab"), event(Kind::kText, "acd")));
}

TEST(Fragments, ControlFramesBetween_AreDeliveredAtOnce) {
  EXPECT_THAT(read(text("Hel", false) + frame(Opcode::kPing, "a") + more("l", false) + frame(Opcode::kPong, "bc") +
                   frame(Opcode::kPing, "") + more("o", true)),
              ElementsAre(event(Kind::kPing, "a"), event(Kind::kPong, "bc"), event(Kind::kPing, ""),
                          event(Kind::kText, "Hello")));
}

TEST(Fragments, CharacterSplitBetween_IsValid) {
  EXPECT_THAT(read(text("\xf0\x9f", false) + frame(Opcode::kPing, "\x80") + more("\x98", false) + more("\x80", true)),
              ElementsAre(event(Kind::kPing, "\x80"), event(Kind::kText, "\xf0\x9f\x98\x80")));
}

TEST(Control, PayloadsUpToTheLimit_AreDelivered) {
  for (const size_t size : {0, 1, 124, 125}) {
    const std::string payload(size, '\xfe');
    EXPECT_THAT(read(frame(Opcode::kPing, payload)), ElementsAre(event(Kind::kPing, payload)));
    EXPECT_THAT(read(frame(Opcode::kPong, payload)), ElementsAre(event(Kind::kPong, payload)));
  }
}

std::string close_payload(unsigned code, std::string_view reason) {
  return std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)}.append(reason);
}

TEST(Close, CodeAndReason_AreTakenApart) {
  EXPECT_THAT(read(frame(Opcode::kClose, "")), ElementsAre(closed(1005, "")));
  EXPECT_THAT(read(frame(Opcode::kClose, close_payload(1000, ""))), ElementsAre(closed(1000, "")));
  EXPECT_THAT(read(frame(Opcode::kClose, close_payload(4999, "bye \xc3\xa9"))),
              ElementsAre(closed(4999, "bye \xc3\xa9")));
  const std::string longest(123, 'r');
  EXPECT_THAT(read(frame(Opcode::kClose, close_payload(1001, longest))), ElementsAre(closed(1001, longest)));
}

TEST(Close, EveryCode_IsJudged) {
  for (unsigned code = 0; code < 5100; ++code) {
    const EventLog log = read_whole(Reader(ReaderOptions{}), frame(Opcode::kClose, close_payload(code, "")));
    ASSERT_EQ(log.size(), 1u);
    const auto narrow = static_cast<uint16_t>(code);
    EXPECT_EQ(log[0], close_code_allowed(narrow) ? closed(narrow, "") : error(Reason::kWsCloseCodeInvalid)) << code;
  }
}

TEST(Close, WrongPayload_IsRefused) {
  EXPECT_THAT(read(frame(Opcode::kClose, "\x03")), ElementsAre(error(Reason::kWsClosePayloadInvalid)));
  EXPECT_THAT(read(frame(Opcode::kClose, close_payload(1000, "\xce\xba\xe1\xbd\xb9\xed\xa0\x80"))),
              ElementsAre(error(Reason::kWsInvalidUtf8)));
  EXPECT_THAT(read(frame(Opcode::kClose, close_payload(1000, "\xc3"))), ElementsAre(error(Reason::kWsInvalidUtf8)));
}

TEST(Close, WhateverFollows_IsPassedOver) {
  EXPECT_THAT(read(frame(Opcode::kClose, close_payload(1000, "")) + text("late") + "\xff\xff garbage"),
              ElementsAre(closed(1000, "")));
  EXPECT_THAT(read(text("part", false) + frame(Opcode::kClose, "") + more("rest", true)),
              ElementsAre(closed(1005, "")));
}

TEST(Sins, FirstByte_IsEnoughToRefuse) {
  for (int byte = 0; byte < 256; ++byte) {
    const int opcode = byte & 0x0f;
    Reason expected = Reason::kNone;
    if ((byte & 0x70) != 0) {
      expected = Reason::kWsReservedBits;
    } else if ((opcode >= 3 && opcode <= 7) || opcode >= 0xb) {
      expected = Reason::kWsReservedOpcode;
    } else if (opcode >= 8 && (byte & 0x80) == 0) {
      expected = Reason::kWsControlFragmented;
    } else if (opcode == 0) {
      expected = Reason::kWsUnexpectedContinuation;
    }
    const std::string input(1, static_cast<char>(byte));
    const EventLog log = read_whole(Reader(ReaderOptions{}), input);
    EXPECT_EQ(log, expected == Reason::kNone ? EventLog{} : EventLog{error(expected)}) << byte;
  }
}

TEST(Sins, SecondByte_IsEnoughToRefuse) {
  EXPECT_THAT(read("\x81\x05"), ElementsAre(error(Reason::kWsUnmasked)));
  EXPECT_THAT(read(std::string("\x89\x00", 2)), ElementsAre(error(Reason::kWsUnmasked)));
  EXPECT_THAT(read("\x89\xfe"), ElementsAre(error(Reason::kWsControlTooLong)));
  EXPECT_THAT(read("\x8a\xff"), ElementsAre(error(Reason::kWsControlTooLong)));
  EXPECT_THAT(read("\x88\xfe"), ElementsAre(error(Reason::kWsControlTooLong)));
}

TEST(Sins, Lengths_AreRefusedWithTheByteThatShowsIt) {
  EXPECT_THAT(read(std::string("\x82\xfe\x00\x7d", 4)), ElementsAre(error(Reason::kWsLengthNotMinimal)));
  EXPECT_THAT(read(std::string("\x82\xfe\x00\x00", 4)), ElementsAre(error(Reason::kWsLengthNotMinimal)));
  EXPECT_THAT(read(std::string("\x82\xfe\x00\x7e", 4)), ElementsAre());
  EXPECT_THAT(read(std::string("\x82\xff\x00\x00\x00\x00\x00\x00", 8)),
              ElementsAre(error(Reason::kWsLengthNotMinimal)));
  EXPECT_THAT(read(std::string("\x82\xff\x00\x00\x00\x00\x00\x01\x00\x00", 10)), ElementsAre());
  EXPECT_THAT(read("\x82\xff\x80"), ElementsAre(error(Reason::kWsLengthInvalid)));
  EXPECT_THAT(read("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff"), ElementsAre(error(Reason::kWsLengthInvalid)));
  EXPECT_THAT(read("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff"), ElementsAre(error(Reason::kWsMessageTooBig)));
}

TEST(Sins, OrderOfFragments_IsKept) {
  EXPECT_THAT(read(text("a", false) + text("b")), ElementsAre(error(Reason::kWsExpectedContinuation)));
  EXPECT_THAT(read(text("a", false) + frame(Opcode::kBinary, "b", false)),
              ElementsAre(error(Reason::kWsExpectedContinuation)));
  EXPECT_THAT(read(text("a") + more("b", true)),
              ElementsAre(event(Kind::kText, "a"), error(Reason::kWsUnexpectedContinuation)));
  EXPECT_THAT(read(text("a", false) + more("b", true) + more("c", false)),
              ElementsAre(event(Kind::kText, "ab"), error(Reason::kWsUnexpectedContinuation)));
}

TEST(Sins, Error_IsRepeatedAndTakesNothing) {
  Reader reader{ReaderOptions{}};
  PaddedBytes bytes(std::string("\x83") + text("a"));
  std::span<char> in = bytes.span();
  for (int i = 0; i < 3; ++i) {
    const Event got = reader.next(in);
    EXPECT_EQ(got.kind, Kind::kError);
    EXPECT_EQ(got.reason, Reason::kWsReservedOpcode);
    EXPECT_EQ(got.close_code, 1002);
    EXPECT_EQ(in.size(), bytes.span().size());
  }
}

TEST(Utf8, InvalidText_IsRefused) {
  for (const std::string_view bad : {"\xff", "ok \xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "cut \xe2\x82"}) {
    EXPECT_THAT(read(text(bad)), ElementsAre(error(Reason::kWsInvalidUtf8)));
    EXPECT_THAT(read(text("fine ", false) + more(bad, true)), ElementsAre(error(Reason::kWsInvalidUtf8)));
    EXPECT_THAT(read(frame(Opcode::kBinary, bad)), ElementsAre(event(Kind::kBinary, bad)));
  }
}

TEST(Utf8, WrongByteInAnIncompleteFrame_FailsAtOnce) {
  const std::string whole = text("valid \xff and a lot of text that is still to come");
  // Header, mask and the bytes up to the wrong one.
  const std::string_view start = std::string_view(whole).substr(0, 6 + 7);
  EXPECT_THAT(read(start.substr(0, 12)), ElementsAre());
  EXPECT_THAT(read(start), ElementsAre(error(Reason::kWsInvalidUtf8)));
  EXPECT_THAT(read(text("\xf4", false) + more("\x90", false)), ElementsAre(error(Reason::kWsInvalidUtf8)));
}

TEST(Utf8, StateOfAMessage_DoesNotReachTheNext) {
  EXPECT_THAT(read(frame(Opcode::kBinary, "\xf0\x9f") + text("a")),
              ElementsAre(event(Kind::kBinary, "\xf0\x9f"), event(Kind::kText, "a")));
}

TEST(Limit, OneByteMore_IsRefusedByTheHeader) {
  EXPECT_THAT(read(text(std::string(100, 'a')), 100), ElementsAre(event(Kind::kText, std::string(100, 'a'))));
  EXPECT_THAT(read(text(std::string(101, 'a')).substr(0, 2), 100), ElementsAre(error(Reason::kWsMessageTooBig)));
  EXPECT_THAT(read(text(std::string(300, 'a')).substr(0, 4), 200), ElementsAre(error(Reason::kWsMessageTooBig)));
  EXPECT_THAT(read(text(std::string(70'000, 'a')).substr(0, 10), 69'999), ElementsAre(error(Reason::kWsMessageTooBig)));
}

TEST(Limit, FragmentsTogether_AreCounted) {
  const std::string half(50, 'a');
  EXPECT_THAT(read(text(half, false) + more(half, true), 100), ElementsAre(event(Kind::kText, half + half)));
  EXPECT_THAT(read(text(half, false) + more(half + "b", true).substr(0, 2), 100),
              ElementsAre(error(Reason::kWsMessageTooBig)));
  EXPECT_THAT(read(text(half, false) + more(half, false) + more("b", true), 100),
              ElementsAre(error(Reason::kWsMessageTooBig)));
}

TEST(Limit, ControlFrames_AreNotCounted) {
  const std::string ping(125, 'p');
  EXPECT_THAT(read(text("abc", false) + frame(Opcode::kPing, ping) + more("d", true), 4),
              ElementsAre(event(Kind::kPing, ping), event(Kind::kText, "abcd")));
}

TEST(Limit, Zero_AllowsEmptyMessagesOnly) {
  EXPECT_THAT(read(text("") + text("a"), 0), ElementsAre(event(Kind::kText, ""), error(Reason::kWsMessageTooBig)));
}

TEST(FromServer, UnmaskedFrames_AreReadAndMaskedOnesRefused) {
  const ReaderOptions options{.from_server = true};
  const std::string session =
      encode_frame(Opcode::kText, std::string(300, 'a')) + encode_frame(Opcode::kPing, "p") + encode_close(4200, "bye");
  const EventLog log = read_whole(Reader(options), session);
  EXPECT_THAT(log,
              ElementsAre(event(Kind::kText, std::string(300, 'a')), event(Kind::kPing, "p"), closed(4200, "bye")));
  EXPECT_EQ(read_in_pieces(Reader(options), session, 1), log);
  EXPECT_THAT(read_whole(Reader(options), text("a")), ElementsAre(error(Reason::kWsUnmasked)));
}

TEST(Sessions, RandomOnes_AreTheSameInEverySplit) {
  std::mt19937 random(20);
  for (int round = 0; round < 60; ++round) {
    std::string session;
    EventLog expected;
    for (int message = 0; message < 4; ++message) {
      const std::string payload(random() % 200, static_cast<char>(random() % 128));
      const bool as_text = random() % 2 == 0;
      const size_t cut = random() % (payload.size() + 1);
      session += encode_masked_frame(as_text ? Opcode::kText : Opcode::kBinary, payload.substr(0, cut),
                                     static_cast<uint32_t>(random()), false, false);
      if (random() % 2 == 0) {
        session += frame(Opcode::kPing, "between");
        expected.push_back(event(Kind::kPing, "between"));
      }
      session += encode_masked_frame(Opcode::kContinuation, payload.substr(cut), static_cast<uint32_t>(random()));
      expected.push_back(event(as_text ? Kind::kText : Kind::kBinary, payload));
    }
    ASSERT_EQ(read(session), expected);
  }
}

}  // namespace
}  // namespace kilat::ws
