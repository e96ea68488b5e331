#include "cli/metrics_text.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "cli/top_view.h"

namespace kilat::cli {
namespace {

TEST(MetricsText, Samples_AreReadWithTheirLabels) {
  const MetricsText text(
      "# HELP a b\n# TYPE a counter\na{app=\"x\",kind=\"p\\\"q\\\\r\\ns\"} 3\na{app=\"y\",kind=\"z\"} 4.5\nb 7\n");
  ASSERT_EQ(text.samples("a").size(), 2u);
  EXPECT_EQ(text.samples("a")[0].labels.at("kind"), "p\"q\\r\ns");
  EXPECT_EQ(text.sum("a"), 7.5);
  EXPECT_EQ(text.sum("a", "app", "y"), 4.5);
  EXPECT_EQ(text.sum("b"), 7);
  EXPECT_EQ(text.sum("c"), 0);
}

TEST(MetricsText, BrokenLines_AreLeftOut) {
  const MetricsText text("a{x=\"1\na{x=1} 2\na{\na\n\nb{} 3\nc{x=\"1\"}4\n");
  EXPECT_EQ(text.sum("a"), 0);
  EXPECT_EQ(text.sum("b"), 3);
  EXPECT_EQ(text.sum("c"), 0);
}

TEST(Quantile, IsLinearWithinTheBucketOfWhatHappenedSince) {
  const MetricsText before("h_bucket{le=\"1\"} 100\nh_bucket{le=\"2\"} 100\nh_bucket{le=\"+Inf\"} 100\n");
  const MetricsText now("h_bucket{le=\"1\"} 100\nh_bucket{le=\"2\"} 110\nh_bucket{le=\"+Inf\"} 110\n");
  EXPECT_DOUBLE_EQ(quantile_between(before, now, "h", 0.5), 1.5);
  EXPECT_DOUBLE_EQ(quantile_between(before, before, "h", 0.5), 0);
}

TEST(Quantile, AboveTheLastBound_IsThatBound) {
  const MetricsText before("");
  const MetricsText now("h_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 10\n");
  EXPECT_DOUBLE_EQ(quantile_between(before, now, "h", 0.99), 1);
}

TEST(Top, Figures_AreRatesOfCountersAndValuesOfGauges) {
  const MetricsText before(
      "kilat_deliveries_total{app=\"a\"} 100\nkilat_deliveries_total{app=\"b\"} 0\nkilat_subscriptions{app=\"a\"} 1\n"
      "kilat_subscriptions{app=\"b\"} 2\n");
  const MetricsText now(
      "kilat_build_info{version=\"9.9\"} 1\nkilat_ready 1\nkilat_shards 2\n"
      "kilat_connections{app=\"a\",protocol=\"pusher\"} 3\nkilat_connections{app=\"\",protocol=\"http\"} 1\n"
      "kilat_deliveries_total{app=\"a\"} 120\nkilat_deliveries_total{app=\"b\"} 200\n"
      "kilat_subscriptions{app=\"a\"} 1\nkilat_subscriptions{app=\"b\"} 2\n");
  const TopFigures figures = top_figures(before, now, 2);
  EXPECT_EQ(figures.version, "9.9");
  EXPECT_TRUE(figures.ready);
  EXPECT_EQ(figures.connections, 3);
  EXPECT_EQ(figures.http_connections, 1);
  EXPECT_EQ(figures.deliveries_per_s, 110);
  ASSERT_EQ(figures.apps.size(), 2u);
  EXPECT_EQ(figures.apps[0].id, "b");
  EXPECT_EQ(figures.apps[0].deliveries_per_s, 100);
  EXPECT_NE(top_json(figures).find(R"("deliveries_per_s":1.1E2)"), std::string::npos) << top_json(figures);
}

TEST(Top, RestartedServer_ShowsNoNegativeRate) {
  const MetricsText before("kilat_deliveries_total{app=\"a\"} 100\n");
  const MetricsText now("kilat_deliveries_total{app=\"a\"} 1\n");
  EXPECT_EQ(top_figures(before, now, 1).deliveries_per_s, 0);
}

TEST(Top, Page_FitsTheTerminalAndObeysNoControlCharacter) {
  TopFigures figures;
  for (int i = 0; i < 100; ++i) figures.apps.push_back({.id = "\x1b[2J" + std::to_string(i)});
  const std::string page = top_page(figures, 24);
  EXPECT_LE(std::count(page.begin(), page.end(), '\n'), 24);
  EXPECT_EQ(page.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace kilat::cli
