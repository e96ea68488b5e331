// Answers about readings and jobs as JSON (docs/ingest.md). Pure; any thread.
// Bounds: what was asked for, kAnswerBytesMax of readings.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "flow/flow_rule.h"
#include "flow/key_figures.h"
#include "ingest/range_query.h"
#include "store/ingest_record.h"

namespace kilat::ingest {

inline constexpr size_t kAnswerBytesMax = 8 * 1024 * 1024;

/// Names a job.
using NameOf = std::function<std::string(int64_t)>;

std::string accepted_json(const store::AcceptedJob& job, const NameOf& name_of);
std::string queue_json(const store::QueueFigures& figures);
/// `limit` of those were asked for; with as many there may be more.
std::string failed_json(std::span<const store::FailedJob> jobs, uint32_t limit, const NameOf& name_of);
std::string sensors_json(std::span<const store::SensorRow> sensors, uint32_t limit);

/// Readings as they are read, or the figures of each step. Owner: whoever asks, one thread at a time.
class RangeAnswer final : public store::ReadingVisitor {
 public:
  explicit RangeAnswer(RangeQuery query);

  store::ReadingRange& range() { return query_.range; }
  bool on_reading(const store::Reading& reading, store::ReadingRange::Place place) override;
  /// After the last one.
  std::string take();

 private:
  bool on_value(const store::Reading& reading);
  void append_reading(const store::Reading& reading);
  void close_step();

  RangeQuery query_;
  std::string json_;
  uint32_t count_ = 0;
  std::optional<std::string> next_;  ///< empty: there is no more
  store::ReadingRange::Place last_;
  uint64_t step_begin_ = 0;
  flow::KeyFigures figures_;
  flow::FlowRule rule_;  ///< only for the figures that it names
};

}  // namespace kilat::ingest
