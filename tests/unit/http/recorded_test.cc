// What real clients send, cut at every place.
#include "unit/fixtures/recorded.h"

#include <gtest/gtest.h>

#include "unit/http/transcript.h"

namespace kilat::http {
namespace {

TEST(RecordedRequests, AnyTwoPiecesAndByteByByte_GiveTheSameAsTheWhole) {
  for (const testing::Recorded& session : testing::recorded_sessions()) {
    const std::string_view bytes = session.upgraded() ? session.head() : session.bytes;
    const std::string whole = transcript(bytes);
    EXPECT_TRUE(whole.ends_with("idle")) << session.name << ": " << whole;
    EXPECT_EQ(whole.find("PADDING"), std::string::npos);
    EXPECT_EQ(transcript(bytes, every(1, bytes.size())), whole) << session.name;
    for (size_t cut = 1; cut < bytes.size(); ++cut) {
      ASSERT_EQ(transcript(bytes, std::vector<size_t>{cut}), whole) << session.name << " cut at " << cut;
    }
  }
}

TEST(RecordedRequests, AnyThreePieces_GiveTheSameAsTheWhole) {
  for (const testing::Recorded& session : testing::recorded_sessions()) {
    const std::string_view bytes = session.upgraded() ? session.head() : session.bytes;
    const std::string whole = transcript(bytes);
    // Seven bytes apart: the second cut falls into another element than the first, or into the same.
    for (size_t cut = 1; cut + 7 < bytes.size(); ++cut) {
      ASSERT_EQ(transcript(bytes, std::vector<size_t>{cut, cut + 7}), whole) << session.name << " cut at " << cut;
    }
  }
}

}  // namespace
}  // namespace kilat::http
