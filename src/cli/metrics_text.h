// Reads the Prometheus text that /metrics answers, as far as `kilat top` needs it. Pure; any thread.
// Bound: the answer's size; lines that are no samples are left out.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kilat::cli {

struct MetricSample {
  std::map<std::string, std::string, std::less<>> labels;
  double value = 0;
};

class MetricsText {
 public:
  explicit MetricsText(std::string_view text);

  /// All samples of `name`; for a histogram its _bucket, _sum and _count are names of their own.
  const std::vector<MetricSample>& samples(std::string_view name) const;
  /// Their sum; with a label, of those that have `value` there.
  double sum(std::string_view name) const;
  double sum(std::string_view name, std::string_view label, std::string_view value) const;

 private:
  std::map<std::string, std::vector<MetricSample>, std::less<>> families_;
};

/// The `part` (0 to 1) quantile of what happened between two scrapes of histogram `name`, in its unit, linear within a
/// bucket; 0 when nothing happened, the largest finite bound when it lies above that.
double quantile_between(const MetricsText& before, const MetricsText& now, std::string_view name, double part);

}  // namespace kilat::cli
