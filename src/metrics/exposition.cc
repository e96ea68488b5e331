#include "metrics/exposition.h"

#include <array>
#include <charconv>

#include "base/check.h"
#include "base/json_text.h"

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

std::string real_text(double value) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
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
  const bool first = row_ == nullptr;
  row_ = &row(metric);
  name_ = row_->soketi() ? prefix_ + std::string(row_->name) : std::string(row_->name);
  first_sample_ = true;
  if (format_ == Format::kJson) {
    out_ += first ? "[" : "]},";
    out_ += "{\"name\":" + json_string(name_) + ",\"help\":" + json_string(row_->help);
    out_.append(",\"type\":\"").append(type_name(row_->type)).append("\",\"values\":[");
    return;
  }
  out_.append("# HELP ").append(name_).append(" ").append(row_->help).append("\n");
  out_.append("# TYPE ").append(name_).append(" ").append(type_name(row_->type)).append("\n");
}

std::string Exposition::take() {
  if (format_ == Format::kJson) out_ += row_ == nullptr ? "[]" : "]}]";
  return std::move(out_);
}

void Exposition::write(std::string_view suffix, Labels labels, std::string_view bound, std::string_view value) {
  KILAT_CHECK(row_ != nullptr);
  if (format_ == Format::kText) {
    out_.append(name_).append(suffix);
    write_labels(labels, bound);
    out_.append(" ").append(value).append("\n");
    return;
  }
  if (!first_sample_) out_ += ',';
  first_sample_ = false;
  out_ += "{\"labels\":{";
  write_labels(labels, bound);
  out_.append("},\"value\":").append(value);
  if (!suffix.empty()) out_ += ",\"metricName\":" + json_string(name_ + std::string(suffix));
  out_ += '}';
}

void Exposition::write_labels(Labels labels, std::string_view bound) {
  std::string_view names = row_->labels;
  bool first = true;
  for (const std::string_view value : labels) {
    KILAT_CHECK(!names.empty());
    const size_t comma = names.find(',');
    write_label(names.substr(0, comma), value, first);
    first = false;
    names = comma == std::string_view::npos ? std::string_view() : names.substr(comma + 1);
  }
  KILAT_CHECK(names.empty());
  if (!bound.empty()) {
    write_label("le", bound, first);
    first = false;
  }
  if (!first && format_ == Format::kText) out_ += '}';
}

void Exposition::write_label(std::string_view name, std::string_view value, bool first) {
  if (format_ == Format::kJson) {
    if (!first) out_ += ',';
    out_ += json_string(name) + ":" + json_string(value);
    return;
  }
  out_ += first ? '{' : ',';
  out_.append(name).append("=\"");
  append_label_value(out_, value);
  out_ += '"';
}

void Exposition::sample(Labels labels, uint64_t value) {
  KILAT_CHECK(row_ != nullptr && row_->type != Type::kHistogram);
  write({}, labels, {}, std::to_string(value));
}

void Exposition::sample_real(Labels labels, double value) {
  KILAT_CHECK(row_ != nullptr && row_->type != Type::kHistogram);
  write({}, labels, {}, real_text(value));
}

void Exposition::sample(Labels labels, const Histogram& histogram) {
  KILAT_CHECK(row_ != nullptr && row_->type == Type::kHistogram);
  uint64_t below = 0;
  for (size_t i = 0; i < histogram.counts().size(); ++i) {
    below += histogram.counts()[i];
    const bool last = i == Histogram::kBounds.size();
    const std::string bound = last ? "+Inf" : real_text(static_cast<double>(Histogram::kBounds[i]) / 1e6);
    write("_bucket", labels, bound, std::to_string(below));
  }
  write("_sum", labels, {}, real_text(static_cast<double>(histogram.sum_us()) / 1e6));
  write("_count", labels, {}, std::to_string(below));
}

}  // namespace kilat::metrics
