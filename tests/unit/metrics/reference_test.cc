#include "metrics/reference.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "metrics/table.h"

namespace kilat::metrics {
namespace {

TEST(MetricsReference, CommittedDocument_IsWhatTheTableSays) {
  std::ifstream file(std::filesystem::path(__FILE__).parent_path() / "../../../docs/metrics.md");
  const std::string committed{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_EQ(committed, reference_markdown()) << "run: kilat metrics --markdown > docs/metrics.md";
}

TEST(MetricsReference, Plain_NamesEveryMetricOfOurOwn) {
  const std::string text = reference_plain();
  for (const Row& row : table()) EXPECT_EQ(text.find(row.name) != std::string::npos, !row.soketi()) << row.name;
}

}  // namespace
}  // namespace kilat::metrics
