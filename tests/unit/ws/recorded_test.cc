// What real clients send, cut at every place; and what a server sends, for the side of a client.
#include "unit/fixtures/recorded.h"

#include <gtest/gtest.h>

#include "unit/ws/event_log.h"
#include "ws/deflate.h"

namespace kilat::ws {
namespace {

// One reader for each try, with a new Inflater where the connection had one.
template <typename Read>
EventLog with_new_reader(const testing::Recorded& session, Read&& read) {
  Inflater inflater;
  return read(Reader(ReaderOptions{.inflater = session.extensions.empty() ? nullptr : &inflater}));
}

TEST(RecordedFrames, AnyTwoPiecesAndByteByByte_GiveTheSameAsTheWhole) {
  for (const testing::Recorded& session : testing::recorded_sessions()) {
    if (!session.upgraded()) continue;
    const std::string_view bytes = session.frames();
    const EventLog whole =
        with_new_reader(session, [&](Reader reader) { return read_whole(std::move(reader), bytes); });
    ASSERT_GT(whole.size(), 5U) << session.name;
    EXPECT_EQ(whole.back().kind, Event::Kind::kClose) << session.name;
    for (const size_t piece : {1, 2, 3, 7, 64}) {
      const auto in_pieces = [&](Reader reader) { return read_in_pieces(std::move(reader), bytes, piece); };
      EXPECT_EQ(with_new_reader(session, in_pieces), whole) << session.name << " pieces of " << piece;
    }
    for (size_t at = 1; at < bytes.size(); ++at) {
      const auto split = [&](Reader reader) { return read_split(std::move(reader), bytes, at); };
      ASSERT_EQ(with_new_reader(session, split), whole) << session.name << " cut at " << at;
    }
  }
}

// The client's side of the codec: the commands read what servers send with the same Reader.
TEST(RecordedFrames, SessionOfAServer_ReadsTheSameHoweverItIsCut) {
  Deflater deflater;
  std::string compressed;
  ASSERT_TRUE(deflater.deflate(std::string(500, 'z') + "é😀", compressed));
  char header[kFrameHeaderMax];
  const size_t size = encode_frame_header(header, Opcode::kText, compressed.size(), true);
  const std::string session = encode_frame(Opcode::kText, R"({"event":"pusher:connection_established"})") +
                              encode_frame(Opcode::kPing, "p") + std::string(header, size) + compressed +
                              encode_frame(Opcode::kText, std::string(126, 'a')) + encode_frame(Opcode::kBinary, "") +
                              encode_frame(Opcode::kText, std::string(400, 'b')) + encode_close(4200, "bye é");
  const auto read = [&](auto how) {
    Inflater inflater;
    return how(Reader(ReaderOptions{.inflater = &inflater, .from_server = true}));
  };
  const EventLog whole = read([&](Reader reader) { return read_whole(std::move(reader), session); });
  ASSERT_EQ(whole.size(), 7U);
  EXPECT_EQ(whole.back().close_code, 4200);
  EXPECT_EQ(read([&](Reader reader) { return read_in_pieces(std::move(reader), session, 1); }), whole);
  for (size_t at = 1; at < session.size(); ++at) {
    ASSERT_EQ(read([&](Reader reader) { return read_split(std::move(reader), session, at); }), whole) << at;
  }
}

}  // namespace
}  // namespace kilat::ws
