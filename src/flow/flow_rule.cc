#include "flow/flow_rule.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "base/quantity.h"
#include "base/words.h"

namespace kilat::flow {
namespace {

constexpr std::array<std::string_view, kFigures> kFigureNames{"count", "sum",  "min", "max", "average",
                                                              "first", "last", "p50", "p95"};

/// What is wrong, "" when nothing is.
using Wrong = std::string;

constexpr uint8_t bit(FlowKind kind) {
  return static_cast<uint8_t>(1U << static_cast<unsigned>(kind));
}
constexpr uint8_t kThrottle = bit(FlowKind::kThrottle);
constexpr uint8_t kConflate = bit(FlowKind::kConflate);
constexpr uint8_t kAggregate = bit(FlowKind::kAggregate);
constexpr uint8_t kBatch = bit(FlowKind::kBatch);
constexpr uint8_t kSample = bit(FlowKind::kSample);
constexpr uint8_t kAll = kThrottle | kConflate | kAggregate | kBatch | kSample;

// Whether `text` fits a pattern whose * stands for any text. Goes back to the last star only, so the time is bounded by
// the product of the two lengths.
bool fits(std::string_view pattern, std::string_view text) {
  size_t at = 0;
  size_t i = 0;
  size_t star = std::string_view::npos;
  size_t resume = 0;
  while (i < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      resume = i;
    } else if (at < pattern.size() && pattern[at] == text[i]) {
      ++at, ++i;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      i = ++resume;
    } else {
      return false;
    }
  }
  return pattern.substr(at).find_first_not_of('*') == std::string_view::npos;
}

Wrong read_number(std::string_view text, uint32_t max, std::string_view what, uint32_t& out) {
  const auto number = parse_whole<uint32_t>(text);
  if (!number || *number < 1 || *number > max)
    return "must have a number from 1 to " + std::to_string(max) + " behind " + std::string(what);
  out = *number;
  return {};
}

Wrong read_interval(std::string_view text, FlowRule& rule) {
  const std::optional<uint64_t> ms = parse_duration_ms(text);
  if (!ms || *ms == 0 || *ms > FlowRule::kIntervalMaxMs)
    return "has no interval from 1ms to 24h, such as 100ms, 2s or 5m: " + std::string(text);
  rule.interval_ms = *ms;
  return {};
}

Wrong read_late(std::string_view text, FlowRule& rule) {
  const std::optional<uint64_t> ms = parse_duration_ms(text);
  if (!ms || *ms > FlowRule::kIntervalMaxMs) return "has no time such as 2s behind late=: " + std::string(text);
  rule.late_ms = *ms;
  return {};
}

Wrong read_bytes(std::string_view text, FlowRule& rule) {
  const std::optional<uint64_t> bytes = parse_size(text);
  if (!bytes || *bytes < FlowRule::kBytesMin || *bytes > FlowRule::kBytesMax)
    return "must have a size from 64KiB to 1GiB behind bytes=";
  rule.bytes_max = *bytes;
  return {};
}

Wrong read_pointer(std::string_view text, std::optional<JsonPointer>& out) {
  auto pointer = JsonPointer::parse(text);
  if (!pointer) return pointer.error();
  out = std::move(*pointer);
  return {};
}

// Names the protocols keep for themselves would be taken for their own messages by clients.
Wrong read_as(std::string_view text, FlowRule& rule) {
  constexpr std::array<std::string_view, 3> kReserved{"pusher:", "pusher_internal:", "kilat:"};
  if (text.empty() || text.size() > FlowRule::kNameMax) return "must have a name of 1 to 200 bytes behind as=";
  if (std::ranges::any_of(kReserved, [&](auto prefix) { return text.starts_with(prefix); }))
    return "has a name behind as= that belongs to the server: " + std::string(text);
  rule.as = text;
  return {};
}

bool channel_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-_=@,.;{}").find(c) != std::string_view::npos;
}

Wrong read_to(std::string_view text, FlowRule& rule) {
  if (text.empty() || text.size() > FlowRule::kNameMax || !std::ranges::all_of(text, channel_character))
    return "must have a channel of letters, digits and - _ = @ , . ; behind to=, in which captures may stand";
  auto to = auth::CaptureTemplate::parse(text, rule.pattern);
  if (!to) return to.error();
  rule.to = std::move(*to);
  return {};
}

Wrong read_edges(std::string_view text, FlowRule& rule) {
  if (text != "leading" && text != "trailing" && text != "both")
    return "must have leading, trailing or both behind edges=";
  rule.leading = text != "trailing";
  rule.trailing = text != "leading";
  return {};
}

Wrong read_send(std::string_view text, FlowRule& rule) {
  if (text != "each" && text != "batch") return "must have each or batch behind send=";
  rule.one_event = text == "batch";
  return {};
}

Wrong read_form(std::string_view text, FlowRule& rule) {
  if (text != "window" && text != "message") return "must have window or message behind form=";
  rule.as_message = text == "message";
  return {};
}

Wrong read_figures(std::string_view text, FlowRule& rule) {
  rule.figures.clear();
  for (std::string_view name = take_word(text, ","); !name.empty(); name = take_word(text, ",")) {
    const auto* known = std::ranges::find(kFigureNames, name);
    if (known == kFigureNames.end()) return "has an unknown name behind functions=: " + std::string(name);
    const auto figure = static_cast<Figure>(known - kFigureNames.begin());
    if (rule.has(figure)) return "has " + std::string(name) + " twice behind functions=";
    rule.figures.push_back(figure);
  }
  return rule.figures.empty() ? "must have names such as count,sum behind functions=" : "";
}

struct Word {
  std::string_view name;
  uint8_t kinds;  ///< the rules that may have it
  Wrong (*read)(std::string_view text, FlowRule& rule);
};

// The first five say what kind of rule it is, in the order of FlowKind.
constexpr std::array kWords{
    Word{"throttle", kThrottle, read_interval},
    Word{"conflate", kConflate, read_interval},
    Word{"aggregate", kAggregate, read_interval},
    Word{"batch", kBatch, read_interval},
    Word{"sample", kSample,
         [](auto text, auto& rule) { return read_number(text, rule.kOneInMax, "sample=", rule.one_in); }},
    Word{"on", kAll,
         [](auto text, auto& rule) {
           rule.on = text;
           return Wrong(text.empty() ? "must have the name of an event behind on=" : "");
         }},
    Word{"key", kThrottle | kConflate | kAggregate | kSample,
         [](auto text, auto& rule) { return read_pointer(text, rule.key); }},
    Word{"value", kAggregate, [](auto text, auto& rule) { return read_pointer(text, rule.value); }},
    Word{"time", kAggregate, [](auto text, auto& rule) { return read_pointer(text, rule.time); }},
    Word{"late", kAggregate, read_late},
    Word{"functions", kAggregate, read_figures},
    Word{"send", kConflate | kAggregate, read_send},
    Word{"form", kAggregate, read_form},
    Word{"edges", kThrottle, read_edges},
    Word{"to", kAll, read_to},
    Word{"as", kAll, read_as},
    Word{"keys", kAll, [](auto text, auto& rule) { return read_number(text, rule.kKeysMax, "keys=", rule.keys_max); }},
    Word{"bytes", kAll, read_bytes},
};
constexpr size_t kKinds = 5;
constexpr uint32_t kBytesMark = 1U << (std::ranges::find(kWords, "bytes", &Word::name) - kWords.begin());
constexpr uint32_t kSendMark = 1U << (std::ranges::find(kWords, "send", &Word::name) - kWords.begin());
static_assert(kWords.size() <= 32);

std::string name_of(FlowKind kind) {
  return std::string(kWords[static_cast<size_t>(kind)].name);
}

// `said`: a bit for each of kWords.
Wrong check_kind(uint32_t said, FlowRule& rule) {
  const uint32_t kinds = said & ((1U << kKinds) - 1);
  if (std::popcount(kinds) != 1)
    return "must say exactly one of throttle=, conflate=, aggregate=, batch= and sample= behind its pattern";
  rule.kind = static_cast<FlowKind>(std::countr_zero(kinds));
  for (size_t i = 0; i < kWords.size(); ++i) {
    if ((said >> i & 1) != 0 && (kWords[i].kinds & bit(rule.kind)) == 0)
      return "says " + std::string(kWords[i].name) + "=, which " + name_of(rule.kind) + " does not have";
  }
  if (rule.kind == FlowKind::kBatch && (said & kBytesMark) == 0) rule.bytes_max = FlowRule::kBatchBytes;
  return {};
}

Wrong check_parts(const FlowRule& rule, std::string_view to) {
  if (rule.kind == FlowKind::kAggregate) {
    if (!rule.value) return "must say value= where the number stands";
    if (rule.in_place()) return "must say to= where the figures go";
    if (rule.as_message && !rule.one_event) return "says form=message, which send=each does not have";
  }
  if (rule.late_ms != 0 && !rule.time) return "says late= without time=";
  if (rule.late_ms / FlowRule::kLateIntervalsMax > rule.interval_ms ||
      rule.late_ms > rule.interval_ms * FlowRule::kLateIntervalsMax)
    return "has a late= of more than 100 intervals";
  if (to.starts_with(kEncryptedPrefix)) return "has a channel behind to= that takes encrypted events only";
  // With captures it depends on the name; such a circle ends at the depth that chains may have.
  std::vector<auth::Captured> captures;
  if (!to.empty() && to.find('{') == std::string_view::npos && rule.pattern.match(to, to, captures))
    return "has a channel behind to= that fits its own pattern";
  return {};
}

}  // namespace

std::string_view name_of(Figure figure) {
  return kFigureNames[static_cast<size_t>(figure)];
}

bool FlowRule::wants(std::string_view event) const {
  return on.empty() || fits(on, event);
}

bool FlowRule::has(Figure figure) const {
  return std::ranges::find(figures, figure) != figures.end();
}

std::expected<FlowRule, std::string> FlowRule::parse(std::string_view text) {
  if (text.size() > kTextMax) return std::unexpected("is longer than 2048 bytes");
  FlowRule rule;
  rule.text = text;
  auto pattern = auth::ChannelPattern::parse(take_word(text));
  if (!pattern) return std::unexpected(pattern.error());
  rule.pattern = std::move(*pattern);
  uint32_t said = 0;
  std::string_view to;
  for (std::string_view word = take_word(text); !word.empty(); word = take_word(text)) {
    const std::string_view name = word.substr(0, word.find('='));
    const auto* known = std::ranges::find(kWords, name, &Word::name);
    if (known == kWords.end() || name.size() == word.size())
      return std::unexpected("has a word that no flow rule knows: " + std::string(word));
    const uint32_t mark = 1U << (known - kWords.begin());
    if ((said & mark) != 0) return std::unexpected("says " + std::string(name) + "= twice");
    said |= mark;
    const std::string_view value = word.substr(name.size() + 1);
    if (name == "to") to = value;
    if (Wrong wrong = known->read(value, rule); !wrong.empty()) return std::unexpected(std::move(wrong));
  }
  if (Wrong wrong = check_kind(said, rule); !wrong.empty()) return std::unexpected(std::move(wrong));
  if (rule.kind == FlowKind::kAggregate && (said & kSendMark) == 0) rule.one_event = true;
  if (Wrong wrong = check_parts(rule, to); !wrong.empty()) return std::unexpected(std::move(wrong));
  return rule;
}

}  // namespace kilat::flow
