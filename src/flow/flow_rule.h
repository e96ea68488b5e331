// FlowRule: how the events of some channels are thinned out, gathered or turned into figures (docs/flow.md). Immutable
// after parsing; any thread. Bounds: kTextMax and those of its parts.
//
// A rule is a line of words: a pattern of channels (auth/channel_pattern.h), exactly one of throttle=, conflate=,
// aggregate=, batch= and sample=, and how.
//   scada-data conflate=100ms key=/data/channel to=scada-realtime
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/channel_pattern.h"
#include "flow/json_pointer.h"

namespace kilat::flow {

/// What channels begin with whose events are encrypted by those who send them, for those who read them.
inline constexpr std::string_view kEncryptedPrefix = "private-encrypted-";

enum class FlowKind : uint8_t { kThrottle, kConflate, kAggregate, kBatch, kSample };

/// What aggregate tells of the values of a key.
enum class Figure : uint8_t { kCount, kSum, kMin, kMax, kAverage, kFirst, kLast, kP50, kP95 };
inline constexpr size_t kFigures = 9;
/// "count", "sum", …
std::string_view name_of(Figure figure);

struct FlowRule {
  static constexpr size_t kTextMax = 2'048;
  static constexpr uint64_t kIntervalMaxMs = 24ULL * 3'600'000;
  static constexpr uint64_t kLateIntervalsMax = 100;  ///< so many windows of a channel may be open
  static constexpr uint32_t kKeysMax = 1'000'000;
  static constexpr uint64_t kBytesMin = 64ULL << 10;
  static constexpr uint64_t kBytesMax = 1ULL << 30;
  static constexpr uint64_t kBatchBytes = 64ULL << 10;  ///< of batch, unless it is said: readers get it in one frame
  static constexpr uint32_t kOneInMax = 1'000'000;
  static constexpr size_t kNameMax = 200;

  /// The rule, or what is wrong with the text, as the end of a sentence.
  static std::expected<FlowRule, std::string> parse(std::string_view text);

  std::string text;
  auth::ChannelPattern pattern;
  FlowKind kind = FlowKind::kThrottle;
  uint64_t interval_ms = 0;  ///< not of sample
  uint32_t one_in = 1;       ///< of sample: one event in so many
  std::string on;            ///< the events it is about, * is any text; empty: all
  std::optional<JsonPointer> key;
  std::optional<JsonPointer> value;
  std::optional<JsonPointer> time;
  uint64_t late_ms = 0;
  std::optional<auth::CaptureTemplate> to;  ///< none: in place
  std::string as;                           ///< empty: the event's own name
  bool leading = true;
  bool trailing = true;
  bool one_event = false;   ///< all keys in one event
  bool as_message = false;  ///< figures in the form {data, timestamp, channel, batchId}
  std::vector<Figure> figures{Figure::kCount,   Figure::kSum,   Figure::kMin, Figure::kMax,
                              Figure::kAverage, Figure::kFirst, Figure::kLast};
  uint32_t keys_max = 10'000;
  uint64_t bytes_max = 16ULL << 20;

  bool in_place() const { return !to.has_value(); }
  /// Whether it is about events of that name.
  bool wants(std::string_view event) const;
  /// Events of different names that would end in one event: each name has one of its own.
  bool parted_by_name() const { return as.empty() && combines(); }
  /// Several events become one.
  bool combines() const { return kind == FlowKind::kBatch || kind == FlowKind::kAggregate || one_event; }
  /// Events of its channels may wait before anybody gets them.
  bool holds_in_place() const {
    return in_place() && kind != FlowKind::kSample && (kind != FlowKind::kThrottle || trailing);
  }
  bool has(Figure figure) const;
};

}  // namespace kilat::flow
