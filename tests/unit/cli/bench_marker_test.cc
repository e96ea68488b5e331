#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

#include "base/json_text.h"
#include "cli/bench/marker.h"

namespace kilat::cli::bench {
namespace {

constexpr uint32_t kRun = 0xdeadbeef;
constexpr Marker kMarker{7, 0x10f, 4'000'000'000, 0x0123'4567'89ab'cdef};

void expect_equal(const std::optional<Marker>& marker) {
  ASSERT_TRUE(marker.has_value());
  EXPECT_EQ(marker->publisher, kMarker.publisher);
  EXPECT_EQ(marker->channel, kMarker.channel);
  EXPECT_EQ(marker->sequence, kMarker.sequence);
  EXPECT_EQ(marker->due_ns, kMarker.due_ns);
}

TEST(BenchPayload, AnySize_IsExactAndValidJson) {
  for (const size_t bytes : {kPayloadBytesMin, kPayloadBytesMin + 1, size_t{200}, kPayloadBytesMax}) {
    PayloadMaker maker(kRun, bytes);
    const std::string_view data = maker.make(kMarker);
    EXPECT_EQ(data.size(), bytes);
    const auto parsed = boost::json::parse({data.data(), data.size()});
    EXPECT_EQ(parsed.as_object().size(), 1U);
  }
}

TEST(BenchMarker, DataAsObjectAndAsString_IsFoundAlike) {
  PayloadMaker maker(kRun, 200);
  const std::string data(maker.make(kMarker));
  MarkerFinder finder(kRun);
  expect_equal(finder.find(R"({"event":"e","channel":"c","data":)" + data + "}"));
  expect_equal(finder.find(R"({"event":"e","channel":"c","data":)" + json_string(data) + "}"));
}

TEST(BenchMarker, ThatMovesBetweenMessages_IsStillFound) {
  PayloadMaker maker(kRun, 100);
  const std::string data(maker.make(kMarker));
  MarkerFinder finder(kRun);
  for (const size_t before : {50U, 0U, 3U, 900U, 1U}) expect_equal(finder.find(std::string(before, ' ') + data));
}

TEST(BenchMarker, OfAnotherRun_IsPassedOver) {
  PayloadMaker maker(kRun + 1, 100);
  MarkerFinder finder(kRun);
  EXPECT_FALSE(finder.find(maker.make(kMarker)));
}

TEST(BenchMarker, CutOrSpoilt_IsNoMarker) {
  PayloadMaker maker(kRun, kPayloadBytesMin);
  const std::string data(maker.make(kMarker));
  for (size_t size = 0; size < data.size() - 2; ++size) {
    MarkerFinder finder(kRun);
    EXPECT_FALSE(finder.find(data.substr(0, size))) << size;
  }
  std::string spoilt = data;
  spoilt[spoilt.size() - 5] = 'g';
  EXPECT_FALSE(MarkerFinder(kRun).find(spoilt));
}

}  // namespace
}  // namespace kilat::cli::bench
