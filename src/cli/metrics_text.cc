#include "cli/metrics_text.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

namespace kilat::cli {
namespace {

// Takes `{a="b",c="d"}` from the front of `line`; false when it is not whole.
bool take_labels(std::string_view& line, MetricSample& sample) {
  if (!line.starts_with('{')) return true;
  line.remove_prefix(1);
  while (!line.empty() && line.front() != '}') {
    const size_t equals = line.find("=\"");
    if (equals == std::string_view::npos) return false;
    const std::string name(line.substr(0, equals));
    line.remove_prefix(equals + 2);
    std::string value;
    for (; !line.empty() && line.front() != '"'; line.remove_prefix(1)) {
      if (line.front() == '\\' && line.size() > 1) {
        line.remove_prefix(1);
        value += line.front() == 'n' ? '\n' : line.front();
      } else {
        value += line.front();
      }
    }
    if (line.empty()) return false;
    line.remove_prefix(1);
    if (line.starts_with(',')) line.remove_prefix(1);
    sample.labels[name] = std::move(value);
  }
  if (line.empty()) return false;
  line.remove_prefix(1);
  return true;
}

double number(const std::string& text) {
  return text == "+Inf" ? std::numeric_limits<double>::infinity() : std::strtod(text.c_str(), nullptr);
}

// Upper bound of each bucket with the count up to it, over all label sets.
std::map<double, double> buckets(const MetricsText& text, std::string_view name) {
  std::map<double, double> out;
  for (const MetricSample& sample : text.samples(std::string(name) + "_bucket")) {
    const auto bound = sample.labels.find("le");
    if (bound != sample.labels.end()) out[number(bound->second)] += sample.value;
  }
  return out;
}

}  // namespace

MetricsText::MetricsText(std::string_view text) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const size_t end = line.find_first_of("{ ");
    if (line.starts_with('#') || end == std::string_view::npos) continue;
    MetricSample sample;
    const std::string name(line.substr(0, end));
    line.remove_prefix(end);
    if (!take_labels(line, sample) || !line.starts_with(' ')) continue;
    sample.value = number(std::string(line.substr(1)));
    families_[name].push_back(std::move(sample));
  }
}

const std::vector<MetricSample>& MetricsText::samples(std::string_view name) const {
  static const std::vector<MetricSample> kNone;
  const auto found = families_.find(name);
  return found == families_.end() ? kNone : found->second;
}

double MetricsText::sum(std::string_view name) const {
  double out = 0;
  for (const MetricSample& sample : samples(name)) out += sample.value;
  return out;
}

double MetricsText::sum(std::string_view name, std::string_view label, std::string_view value) const {
  double out = 0;
  for (const MetricSample& sample : samples(name)) {
    const auto found = sample.labels.find(label);
    if (found != sample.labels.end() && found->second == value) out += sample.value;
  }
  return out;
}

double quantile_between(const MetricsText& before, const MetricsText& now, std::string_view name, double part) {
  const std::map<double, double> earlier = buckets(before, name);
  std::map<double, double> counts = buckets(now, name);
  for (auto& [bound, count] : counts) {
    const auto found = earlier.find(bound);
    // After a restart of the server the counters begin anew.
    if (found != earlier.end() && found->second <= count) count -= found->second;
  }
  if (counts.empty() || counts.rbegin()->second <= 0) return 0;
  const double wanted = part * counts.rbegin()->second;
  double below = 0;
  double lower = 0;
  for (const auto& [bound, count] : counts) {
    if (count >= wanted && count > below) {
      if (bound == std::numeric_limits<double>::infinity()) return lower;
      return lower + (bound - lower) * (wanted - below) / (count - below);
    }
    below = count;
    if (bound != std::numeric_limits<double>::infinity()) lower = bound;
  }
  return lower;
}

}  // namespace kilat::cli
