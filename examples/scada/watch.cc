#include "scada/watch.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace examples::scada {
namespace {

constexpr std::int64_t kSilentMs = 5'000;  // at least, and
constexpr double kSilentGaps = 8;          // so many times as long as usual
constexpr std::int64_t kStuckMs = 4'000;   // at least, and
constexpr int kStuckReadings = 10;         // so many
constexpr std::int64_t kClearMs = 3'000;   // so long must all be well again
constexpr double kJumpShare = 0.2;         // of the span: a jump, not a drift
constexpr double kMemory = 0.2;            // weight of the newest in moving averages

std::string words(std::string_view sensor, std::string_view alarm, double value, const Kind& kind) {
  std::array<char, 160> text{};
  const std::string name(sensor);
  const std::string unit(kind.unit);
  if (alarm == "silent") {
    std::snprintf(text.data(), text.size(), "%s has gone silent", name.c_str());
  } else if (alarm == "stuck") {
    std::snprintf(text.data(), text.size(), "%s is stuck at %.*f %s", name.c_str(), kind.decimals, value, unit.c_str());
  } else {
    std::snprintf(text.data(), text.size(), "%s %s to %.*f %s, outside of %g to %g", name.c_str(),
                  alarm == "spike" ? "jumped" : "drifted", kind.decimals, value, unit.c_str(), kind.low, kind.high);
  }
  return text.data();
}

}  // namespace

Watch::Watch(const std::vector<Sensor>& sensors) {
  for (const Sensor& sensor : sensors) {
    State state;
    state.kind = &sensor.kind();
    states_.emplace(sensor.name(), std::move(state));
  }
}

// What is wrong with this reading; empty: nothing.
std::string_view Watch::judge(State& state, double value, std::int64_t time_ms) {
  if (value < state.kind->low || value > state.kind->high) {
    const bool jumped = state.last_ms == 0 || std::abs(value - state.level) > kJumpShare * state.kind->span();
    return jumped ? "spike" : "drift";
  }
  state.level = state.last_ms == 0 ? value : state.level + kMemory * (value - state.level);
  if (state.last_ms == 0 || value != state.last) {
    state.same = 1;
    state.same_since_ms = time_ms;
  } else if (++state.same >= kStuckReadings && time_ms - state.same_since_ms >= kStuckMs) {
    return "stuck";
  }
  return {};
}

void Watch::see(std::string_view sensor, double value, std::int64_t time_ms, std::vector<Alarm>& out) {
  const std::scoped_lock lock(mutex_);
  const auto found = states_.find(sensor);
  if (found == states_.end()) return;
  State& state = found->second;
  if (time_ms < state.last_ms) return;  // late: it tells nothing of now
  const std::string_view wrong = judge(state, value, time_ms);
  if (state.last_ms != 0) {
    const auto gap_ms = static_cast<double>(time_ms - state.last_ms);
    state.gap_ms = state.gap_ms == 0 ? gap_ms : state.gap_ms + kMemory * (gap_ms - state.gap_ms);
  }
  state.last = value;
  state.last_ms = time_ms;
  if (!wrong.empty()) {
    state.fine_since_ms = 0;
    // While it is on it keeps its name: a spike that stays is no drift.
    if (state.alarm.empty() || state.alarm == "silent") change(found->first, state, wrong, time_ms, out);
    return;
  }
  if (state.fine_since_ms == 0) state.fine_since_ms = time_ms;
  if (state.alarm == "silent" || time_ms - state.fine_since_ms >= kClearMs)
    change(found->first, state, {}, time_ms, out);
}

void Watch::look_for_silence(std::int64_t now_ms, std::vector<Alarm>& out) {
  const std::scoped_lock lock(mutex_);
  for (auto& [name, state] : states_) {
    if (state.last_ms == 0 || state.gap_ms == 0 || !state.alarm.empty()) continue;
    const auto patience_ms = std::max(kSilentMs, static_cast<std::int64_t>(kSilentGaps * state.gap_ms));
    if (now_ms - state.last_ms > patience_ms) change(name, state, "silent", now_ms, out);
  }
}

void Watch::forget_times() {
  const std::scoped_lock lock(mutex_);
  for (auto& [name, state] : states_) {
    state.gap_ms = 0;
    state.same = 0;
    state.last_ms = 0;
  }
}

void Watch::change(const std::string& sensor, State& state, std::string_view alarm, std::int64_t now_ms,
                   std::vector<Alarm>& out) {
  if (state.alarm == alarm) return;
  const bool raised = !alarm.empty();
  const std::string_view which = raised ? alarm : std::string_view(state.alarm);
  out.push_back({.sensor = sensor,
                 .kind = std::string(which),
                 .text = raised ? words(sensor, alarm, state.last, *state.kind) : sensor + " is well again",
                 .value = state.last,
                 .time_ms = now_ms,
                 .raised = raised});
  state.alarm = alarm;
}

}  // namespace examples::scada
