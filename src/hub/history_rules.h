// HistoryRules: which channels of an app keep their last events, and how many. Immutable after construction; any
// thread. Bounds: HistoryRule::kTextMax.
//
// A rule is a line of words: a pattern (auth/channel_pattern.h), then limits. The first rule that fits decides.
//   alerts.{site} size=1000 age=1h bytes=256KiB durable
//   chat.* none
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/channel_pattern.h"

namespace kilat::hub {

struct HistoryLimits {
  uint32_t size = 100;           ///< events; 0: the channel has no history
  uint64_t age_ms = 3'600'000;   ///< an event is kept so long
  uint64_t bytes = 1024 * 1024;  ///< of events, as History::cost counts them; the newest stays in any case
  bool durable = false;          ///< kept on disk, and an event is answered when it is there
};

class HistoryRule {
 public:
  static constexpr size_t kTextMax = 2048;
  static constexpr uint64_t kSizeMax = 1'000'000;
  static constexpr uint64_t kAgeMsMax = uint64_t{365} * 86'400'000;
  static constexpr uint64_t kBytesMax = uint64_t{1} << 30;

  /// The rule, or what is wrong with the text, as the end of a sentence.
  static std::expected<HistoryRule, std::string> parse(std::string_view text);

  const HistoryLimits& limits() const { return limits_; }

 private:
  friend class HistoryRules;
  auth::ChannelPattern pattern_;
  HistoryLimits limits_;
};

class HistoryRules {
 public:
  HistoryRules() = default;
  /// Texts that HistoryRule::parse does not take are left out.
  explicit HistoryRules(std::span<const std::string> texts);

  bool empty() const { return rules_.empty(); }
  /// Null: the channel keeps nothing.
  const HistoryLimits* find(std::string_view channel) const;

 private:
  std::vector<HistoryRule> rules_;
};

}  // namespace kilat::hub
