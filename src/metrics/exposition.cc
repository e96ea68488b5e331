#include "metrics/exposition.h"

#include <array>
#include <charconv>

#include "base/check.h"

namespace kilat::metrics {
namespace {

std::string_view type_name(Type type) {
  switch (type) {
    case Type::kCounter: return "counter";
    case Type::kGauge: return "gauge";
    case Type::kHistogram: return "histogram";
  }
  return {};
}

void append_real(std::string& out, double value) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

// Backslash, quote and line feed are all that the format escapes.
void append_label_value(std::string& out, std::string_view value) {
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
}

}  // namespace

void Exposition::family(Metric metric) {
  row_ = &row(metric);
  name_ = row_->soketi() ? prefix_ + std::string(row_->name) : std::string(row_->name);
  out_.append("# HELP ").append(name_).append(" ").append(row_->help).append("\n");
  out_.append("# TYPE ").append(name_).append(" ").append(type_name(row_->type)).append("\n");
}

void Exposition::begin_sample(std::string_view suffix, Labels labels, std::string_view bound) {
  KILAT_CHECK(row_ != nullptr);
  out_.append(name_).append(suffix);
  std::string_view names = row_->labels;
  bool first = true;
  const auto label = [&](std::string_view name, std::string_view value) {
    out_ += first ? '{' : ',';
    first = false;
    out_.append(name).append("=\"");
    append_label_value(out_, value);
    out_ += '"';
  };
  for (const std::string_view value : labels) {
    KILAT_CHECK(!names.empty());
    const size_t comma = names.find(',');
    label(names.substr(0, comma), value);
    names = comma == std::string_view::npos ? std::string_view() : names.substr(comma + 1);
  }
  KILAT_CHECK(names.empty());
  if (!bound.empty()) label("le", bound);
  if (!first) out_ += '}';
  out_ += ' ';
}

void Exposition::sample(Labels labels, uint64_t value) {
  KILAT_CHECK(row_ != nullptr && row_->type != Type::kHistogram);
  begin_sample({}, labels);
  out_ += std::to_string(value);
  out_ += '\n';
}

void Exposition::sample_real(Labels labels, double value) {
  KILAT_CHECK(row_ != nullptr && row_->type != Type::kHistogram);
  begin_sample({}, labels);
  append_real(out_, value);
  out_ += '\n';
}

void Exposition::sample(Labels labels, const Histogram& histogram) {
  KILAT_CHECK(row_ != nullptr && row_->type == Type::kHistogram);
  uint64_t below = 0;
  for (size_t i = 0; i < histogram.counts().size(); ++i) {
    below += histogram.counts()[i];
    std::string bound = "+Inf";
    if (i < Histogram::kBounds.size()) {
      bound.clear();
      append_real(bound, static_cast<double>(Histogram::kBounds[i]) / 1e6);
    }
    begin_sample("_bucket", labels, bound);
    out_ += std::to_string(below) + "\n";
  }
  begin_sample("_sum", labels);
  append_real(out_, static_cast<double>(histogram.sum_us()) / 1e6);
  out_ += '\n';
  begin_sample("_count", labels);
  out_ += std::to_string(below) + "\n";
}

}  // namespace kilat::metrics
