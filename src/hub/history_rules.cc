#include "hub/history_rules.h"

#include <optional>
#include <utility>

#include "base/quantity.h"
#include "base/words.h"
#include "hub/channel_name.h"

namespace kilat::hub {
namespace {

bool between(std::optional<uint64_t> number, uint64_t min, uint64_t max) {
  return number && *number >= min && *number <= max;
}

// What is wrong with the word, or "".
std::string read_word(std::string_view word, HistoryLimits& limits) {
  const size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  const std::string_view value = equals == std::string_view::npos ? std::string_view() : word.substr(equals + 1);
  if (word == "durable") {
    limits.durable = true;
  } else if (name == "size") {
    const auto size = parse_whole(value);
    if (!between(size, 1, HistoryRule::kSizeMax)) return "must have a size from 1 to 1000000";
    limits.size = static_cast<uint32_t>(*size);
  } else if (name == "age") {
    const auto age_ms = parse_duration_ms(value);
    if (!between(age_ms, 1'000, HistoryRule::kAgeMsMax)) return "must have an age from 1s to 365d";
    limits.age_ms = *age_ms;
  } else if (name == "bytes") {
    const auto bytes = parse_size(value);
    if (!between(bytes, 1024, HistoryRule::kBytesMax)) return "must have bytes from 1KiB to 1GiB";
    limits.bytes = *bytes;
  } else {
    return "has a word that is not size=N, age=TIME, bytes=SIZE, durable or none: " + std::string(word);
  }
  return {};
}

}  // namespace

std::expected<HistoryRule, std::string> HistoryRule::parse(std::string_view text) {
  if (text.size() > kTextMax) return std::unexpected("is longer than 2048 bytes");
  HistoryRule rule;
  auto pattern = auth::ChannelPattern::parse(take_word(text));
  if (!pattern) return std::unexpected(pattern.error());
  rule.pattern_ = std::move(*pattern);
  bool none = false;
  size_t words = 0;
  for (std::string_view word = take_word(text); !word.empty(); word = take_word(text)) {
    ++words;
    if (word == "none") {
      none = true;
    } else if (std::string wrong = read_word(word, rule.limits_); !wrong.empty()) {
      return std::unexpected(std::move(wrong));
    }
  }
  if (none && words > 1) return std::unexpected("says none and something else");
  if (none) rule.limits_.size = 0;
  return rule;
}

HistoryRules::HistoryRules(std::span<const std::string> texts) {
  for (const std::string& text : texts) {
    if (auto rule = HistoryRule::parse(text)) rules_.push_back(std::move(*rule));
  }
}

const HistoryLimits* HistoryRules::find(std::string_view channel) const {
  std::vector<auth::Captured> captures;
  for (const HistoryRule& rule : rules_) {
    if (!rule.pattern_.match(channel, bare_name(channel), captures)) continue;
    return rule.limits_.size > 0 ? &rule.limits_ : nullptr;
  }
  return nullptr;
}

}  // namespace kilat::hub
