#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "unit/ws/event_log.h"
#include "ws/deflate.h"
#include "ws/reader.h"

namespace kilat::ws {
namespace {

using Kind = Event::Kind;
using testing::ElementsAre;

constexpr uint32_t kMask = 0x11223344;

LoggedEvent event(Kind kind, std::string_view payload) {
  return {kind, std::string(payload), 0, Reason::kNone};
}
LoggedEvent error(Reason reason) {
  return {Kind::kError, "", reason_row(reason).close_code, reason};
}

std::string deflated(std::string_view message) {
  Deflater deflater;
  std::string out;
  EXPECT_TRUE(deflater.deflate(message, out));
  return out;
}

std::string first(Opcode opcode, std::string_view payload, bool fin = true) {
  return encode_masked_frame(opcode, payload, kMask, true, fin);
}
std::string plain(Opcode opcode, std::string_view payload, bool fin = true) {
  return encode_masked_frame(opcode, payload, kMask, false, fin);
}

// Reads whole, at every split and byte by byte, each time with a new Inflater.
EventLog read(std::string_view bytes, uint32_t max = 1 << 20, bool takeover = false) {
  const auto with_new_reader = [&](auto how) {
    Inflater inflater(15, takeover);
    return how(Reader(ReaderOptions{.message_bytes_max = max, .inflater = &inflater}));
  };
  const EventLog log = with_new_reader([&](Reader reader) { return read_whole(std::move(reader), bytes); });
  for (size_t at = 0; at < std::min<size_t>(bytes.size(), 1500); ++at) {
    EXPECT_EQ(with_new_reader([&](Reader reader) { return read_split(std::move(reader), bytes, at); }), log) << at;
  }
  EXPECT_EQ(with_new_reader([&](Reader reader) { return read_in_pieces(std::move(reader), bytes, 1); }), log);
  return log;
}

TEST(ReaderDeflate, CompressedAndPlainMessages_Mix) {
  EXPECT_THAT(read(first(Opcode::kText, deflated("Hello")) + plain(Opcode::kText, "plain") +
                   first(Opcode::kBinary, deflated("\xff\xfe")) + first(Opcode::kText, deflated(""))),
              ElementsAre(event(Kind::kText, "Hello"), event(Kind::kText, "plain"), event(Kind::kBinary, "\xff\xfe"),
                          event(Kind::kText, "")));
}

TEST(ReaderDeflate, FragmentsAndControlFramesBetween_ArePutTogether) {
  const std::string message = deflated("a message that is cut into three");
  EXPECT_THAT(read(first(Opcode::kText, message.substr(0, 3), false) + plain(Opcode::kPing, "p") +
                   plain(Opcode::kContinuation, message.substr(3, 5), false) + plain(Opcode::kContinuation, "", false) +
                   plain(Opcode::kContinuation, message.substr(8))),
              ElementsAre(event(Kind::kPing, "p"), event(Kind::kText, "a message that is cut into three")));
}

TEST(ReaderDeflate, Rsv1_IsForTheFirstFrameOfAMessageOnly) {
  EXPECT_THAT(read(first(Opcode::kText, "", false) + encode_masked_frame(Opcode::kContinuation, "", kMask, true)),
              ElementsAre(error(Reason::kWsReservedBits)));
  EXPECT_THAT(read(first(Opcode::kPing, "")), ElementsAre(error(Reason::kWsReservedBits)));
  EXPECT_THAT(read(first(Opcode::kClose, "")), ElementsAre(error(Reason::kWsReservedBits)));
  EXPECT_THAT(read("\xa1"), ElementsAre(error(Reason::kWsReservedBits)));
  EXPECT_THAT(read("\x91"), ElementsAre(error(Reason::kWsReservedBits)));
  EXPECT_THAT(read_whole(Reader(ReaderOptions{}), first(Opcode::kText, deflated("a"))),
              ElementsAre(error(Reason::kWsReservedBits)));
}

TEST(ReaderDeflate, BrokenData_IsRefused) {
  EXPECT_THAT(read(first(Opcode::kText, "\xff\xff\xff")), ElementsAre(error(Reason::kWsDeflateInvalid)));
  EXPECT_THAT(read(first(Opcode::kBinary, "")), ElementsAre(error(Reason::kWsDeflateInvalid)));
  const std::string message = deflated("cut off in the middle");
  EXPECT_THAT(read(first(Opcode::kText, message.substr(0, message.size() / 2))),
              ElementsAre(error(Reason::kWsDeflateInvalid)));
}

TEST(ReaderDeflate, InflatedText_IsCheckedForUtf8) {
  EXPECT_THAT(read(first(Opcode::kText, deflated("bad \xed\xa0\x80"))), ElementsAre(error(Reason::kWsInvalidUtf8)));
  EXPECT_THAT(read(first(Opcode::kText, deflated("cut \xe2\x82"))), ElementsAre(error(Reason::kWsInvalidUtf8)));
}

TEST(ReaderDeflate, Limit_HoldsBeforeAndAfterInflating) {
  const std::string bomb = deflated(std::string(1 << 20, 'a'));
  EXPECT_THAT(read(first(Opcode::kText, bomb), 10'000), ElementsAre(error(Reason::kWsInflatedTooBig)));
  EXPECT_THAT(read(first(Opcode::kText, deflated(std::string(1000, 'a'))), 1000),
              ElementsAre(event(Kind::kText, std::string(1000, 'a'))));
  EXPECT_THAT(read(first(Opcode::kText, deflated(std::string(1001, 'a'))), 1000),
              ElementsAre(error(Reason::kWsInflatedTooBig)));
  // A thousand bytes and the allowance for what deflate may add.
  EXPECT_THAT(read(first(Opcode::kBinary, std::string(1000 + 125 + 15 + 65, 'x')).substr(0, 4), 1000),
              ElementsAre(error(Reason::kWsMessageTooBig)));
  EXPECT_THAT(read(plain(Opcode::kBinary, std::string(1001, 'x')).substr(0, 4), 1000),
              ElementsAre(error(Reason::kWsMessageTooBig)));
}

TEST(ReaderDeflate, IncompressibleMessageAtTheLimit_ComesThrough) {
  std::mt19937 random(3);
  std::string noise(1000, ' ');
  for (char& c : noise) c = static_cast<char>(random());
  EXPECT_THAT(read(first(Opcode::kBinary, deflated(noise)), 1000), ElementsAre(event(Kind::kBinary, noise)));
}

TEST(ReaderDeflate, ClientContext_IsKeptOverMessages) {
  Deflater deflater({.takeover = true});
  std::string session;
  EventLog expected;
  for (int i = 0; i < 5; ++i) {
    std::string message;
    ASSERT_TRUE(deflater.deflate("the same words again and again", message));
    session += first(Opcode::kText, message);
    session += plain(Opcode::kText, "between");
    expected.push_back(event(Kind::kText, "the same words again and again"));
    expected.push_back(event(Kind::kText, "between"));
  }
  EXPECT_EQ(read(session, 1 << 20, true), expected);
  EXPECT_EQ(read(session, 1 << 20, false).back(), error(Reason::kWsDeflateInvalid));
}

TEST(ReaderDeflate, OneInflater_ServesInterleavedConnections) {
  Inflater shared;
  const ReaderOptions options{.inflater = &shared};
  Reader a(options);
  Reader b(options);
  const std::string message_a = first(Opcode::kText, deflated("message of the one connection"));
  const std::string message_b = first(Opcode::kText, deflated("message of the other connection"));
  EventLog log_a;
  EventLog log_b;
  for (size_t i = 0; i < std::max(message_a.size(), message_b.size()); ++i) {
    if (i < message_a.size()) feed(a, std::string_view(message_a).substr(i, 1), log_a);
    if (i < message_b.size()) feed(b, std::string_view(message_b).substr(i, 1), log_b);
  }
  EXPECT_THAT(log_a, ElementsAre(event(Kind::kText, "message of the one connection")));
  EXPECT_THAT(log_b, ElementsAre(event(Kind::kText, "message of the other connection")));
}

}  // namespace
}  // namespace kilat::ws
