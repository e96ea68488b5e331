#include "socketio/payload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <vector>

#include "unit/ws/event_log.h"
#include "ws/frame.h"

namespace kilat::socketio {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> packets_of(std::string_view body) {
  std::vector<std::string> packets;
  PayloadReader reader(body);
  while (const auto packet = reader.next()) packets.emplace_back(*packet);
  return packets;
}

std::string text_frame(std::string_view text) {
  return ws::encode_frame(ws::Opcode::kText, text);
}
std::string binary_frame(std::string_view bytes) {
  return ws::encode_frame(ws::Opcode::kBinary, bytes);
}

TEST(Payload, Body_IsSplitAtTheSeparator) {
  EXPECT_THAT(packets_of("4hello"), ElementsAre("4hello"));
  EXPECT_THAT(packets_of("4hello\x1e"
                         "2\x1e"
                         "bAQID"),
              ElementsAre("4hello", "2", "bAQID"));
}

TEST(Payload, EmptyPieces_AreEmptyPackets) {
  EXPECT_THAT(packets_of(""), ElementsAre(""));
  EXPECT_THAT(packets_of("40\x1e"), ElementsAre("40", ""));
  EXPECT_THAT(packets_of("\x1e"
                         "40"),
              ElementsAre("", "40"));
  EXPECT_THAT(packets_of("\x1e\x1e"), ElementsAre("", "", ""));
  PayloadReader reader("");
  EXPECT_TRUE(reader.next());
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.next());
}

TEST(Payload, Frames_BecomeABodyThatIsSplitBack) {
  std::string body;
  append_packets(body, text_frame("0{}") + text_frame("451-[]") + binary_frame(std::string("\0\x1e\xff", 3)));
  append_packets(body, {});
  append_packets(body, binary_frame({}));
  EXPECT_THAT(packets_of(body), ElementsAre("0{}", "451-[]", "bAB7/", "b"));
}

TEST(Payload, FramesOfEveryLengthOfHeader_AreRead) {
  for (const size_t size : {1, 125, 126, 127, 65'535, 65'536, 100'000}) {
    const std::string text(size, 't');
    std::string body;
    append_packets(body, text_frame(text) + text_frame("2"));
    EXPECT_TRUE(packets_of(body) == (std::vector<std::string>{text, "2"})) << size;
  }
}

TEST(Payload, WithoutBinary_EveryFrameIsText) {
  const std::string frames = text_frame("451-[]") + binary_frame("\x01\x02\x03") + text_frame("2") + binary_frame({});
  const ws::EventLog log = ws::read_whole(ws::Reader({.from_server = true}), without_binary(frames));
  std::vector<std::string> texts;
  for (const ws::LoggedEvent& event : log) {
    EXPECT_EQ(event.kind, ws::Event::Kind::kText);
    texts.push_back(event.payload);
  }
  EXPECT_THAT(texts, ElementsAre("451-[]", "bAQID", "2", "b"));
}

std::string gunzip(std::string_view compressed, size_t size) {
  constexpr int kGzipWindow = 15 + 16;
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, kGzipWindow), Z_OK);
  std::string out(size + 1, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

TEST(Payload, Gzip_IsUnpackedToTheSame) {
  std::string text;
  uint32_t state = 7;
  for (int i = 0; i < 5'000; ++i) text += static_cast<char>((state = state * 1'664'525 + 1'013'904'223) >> 24);
  for (const std::string& body : {std::string(), std::string("4hello"), std::string(100'000, 'x'), text}) {
    const std::string compressed = gzip(body);
    ASSERT_TRUE(compressed.starts_with("\x1f\x8b"));
    EXPECT_EQ(gunzip(compressed, body.size()), body);
  }
}

}  // namespace
}  // namespace kilat::socketio
