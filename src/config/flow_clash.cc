#include "config/flow_clash.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/words.h"
#include "hub/channel_name.h"
#include "hub/history_rules.h"

namespace kilat::config {
namespace {

constexpr std::string_view kWildcards = "*{}";

std::string_view pattern_of(std::string_view rule) {
  return take_word(rule);
}

bool is_literal(std::string_view pattern) {
  return pattern.find_first_of(kWildcards) == std::string_view::npos;
}

bool fits(const auth::ChannelPattern& pattern, std::string_view channel) {
  std::vector<auth::Captured> captures;
  return pattern.match(channel, hub::bare_name(channel), captures);
}

// By what stands before the first wildcard and behind the last, so it may say yes too often, and never no too often.
bool may_overlap(std::string_view a, std::string_view b) {
  const std::string_view bare_a = hub::bare_name(a);
  const std::string_view bare_b = hub::bare_name(b);
  const std::string_view kind_a = a.substr(0, a.size() - bare_a.size());
  const std::string_view kind_b = b.substr(0, b.size() - bare_b.size());
  if (!kind_a.empty() && !kind_b.empty() && kind_a != kind_b) return false;
  const std::string_view begin_a = bare_a.substr(0, bare_a.find_first_of(kWildcards));
  const std::string_view begin_b = bare_b.substr(0, bare_b.find_first_of(kWildcards));
  const size_t begin = std::min(begin_a.size(), begin_b.size());
  if (begin_a.substr(0, begin) != begin_b.substr(0, begin)) return false;
  const std::string_view end_a = bare_a.substr(bare_a.find_last_of(kWildcards) + 1);
  const std::string_view end_b = bare_b.substr(bare_b.find_last_of(kWildcards) + 1);
  const size_t end = std::min(end_a.size(), end_b.size());
  return end_a.substr(end_a.size() - end) == end_b.substr(end_b.size() - end);
}

bool is_durable(const hub::HistoryRules& history, std::string_view channel) {
  const hub::HistoryLimits* limits = history.find(channel);
  return limits != nullptr && limits->durable;
}

FlowClash::Kind clash_with(const flow::FlowRule& rule, const hub::HistoryRules& history, std::string_view durable) {
  const std::string_view folded = pattern_of(rule.text);
  if (folded == durable) return FlowClash::Kind::kCertain;
  if (is_literal(folded)) return is_durable(history, folded) ? FlowClash::Kind::kCertain : FlowClash::Kind::kNone;
  if (is_literal(durable) && fits(rule.pattern, durable)) {
    return is_durable(history, durable) ? FlowClash::Kind::kCertain : FlowClash::Kind::kNone;
  }
  return may_overlap(folded, durable) ? FlowClash::Kind::kPossible : FlowClash::Kind::kNone;
}

}  // namespace

FlowClash find_clash(const flow::FlowRule& rule, const hub::AppSettings& app) {
  FlowClash worst;
  if (!rule.holds_in_place()) return worst;
  // Who names the events may know that they are not among those that must be kept.
  const auto certain = rule.on.empty() ? FlowClash::Kind::kCertain : FlowClash::Kind::kPossible;
  const std::string& readings = app.ingest.channel;
  if (!readings.empty() && fits(rule.pattern, readings)) return {certain, "ingest_channel"};
  const hub::HistoryRules history(app.history);
  for (const std::string& text : app.history) {
    const auto entry = hub::HistoryRule::parse(text);
    if (!entry || !entry->limits().durable || entry->limits().size == 0) continue;
    const FlowClash::Kind kind = std::min(certain, clash_with(rule, history, pattern_of(text)));
    if (kind > worst.kind) worst = {kind, "history \"" + text + "\""};
  }
  return worst;
}

}  // namespace kilat::config
