// Exposition: writes samples, in the Prometheus text format 0.0.4 or as JSON. Pure; one object, one thread.
// Bounds: what the caller writes; labels come from the table, so no sample can bring a label of its own.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "metrics/histogram.h"
#include "metrics/table.h"

namespace kilat::metrics {

enum class Format : uint8_t {
  kText,
  /// An array with one object a family: name, help, type and values; each value with its labels, those of a histogram
  /// with the name of their line in the text. The shape that prom-client (Node.js) gives its metrics as JSON.
  kJson,
};

/// The media type of a page in this format.
constexpr std::string_view content_type(Format format) {
  return format == Format::kJson ? "application/json" : "text/plain; version=0.0.4; charset=utf-8";
}

class Exposition {
 public:
  /// `soketi_prefix`: put before the names of Soketi's rows.
  explicit Exposition(std::string_view soketi_prefix = {}, Format format = Format::kText)
      : prefix_(soketi_prefix), format_(format) {}

  /// Begins a family. Its samples follow, before the next one; each family at most once.
  void family(Metric metric);

  using Labels = std::initializer_list<std::string_view>;
  /// One sample of the family begun last. `labels`: one value for each label of the row, in its order, UTF-8.
  void sample(Labels labels, uint64_t value);
  void sample_real(Labels labels, double value);
  void sample(Labels labels, const Histogram& histogram);

  /// A family of one sample without labels.
  void value(Metric metric, uint64_t value) {
    family(metric);
    sample({}, value);
  }

  /// The page; nothing may follow.
  std::string take();

 private:
  void write(std::string_view suffix, Labels labels, std::string_view bound, std::string_view value);
  void write_labels(Labels labels, std::string_view bound);
  void write_label(std::string_view name, std::string_view value, bool first);

  std::string out_;
  std::string prefix_;
  std::string name_;
  Format format_;
  bool first_sample_ = true;
  const Row* row_ = nullptr;
};

}  // namespace kilat::metrics
