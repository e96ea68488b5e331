// Exposition: writes samples in the Prometheus text format 0.0.4. Pure; one object, one thread.
// Bounds: what the caller writes; labels come from the table, so no sample can bring a label of its own.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "metrics/histogram.h"
#include "metrics/table.h"

namespace kilat::metrics {

inline constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

class Exposition {
 public:
  /// `soketi_prefix`: put before the names of Soketi's rows.
  explicit Exposition(std::string_view soketi_prefix = {}) : prefix_(soketi_prefix) {}

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

  std::string take() { return std::move(out_); }

 private:
  void begin_sample(std::string_view suffix, Labels labels, std::string_view bound = {});

  std::string out_;
  std::string prefix_;
  std::string name_;
  const Row* row_ = nullptr;
};

}  // namespace kilat::metrics
