#include "flow/engine.h"

#include <algorithm>
#include <utility>

#include "flow/engine_state.h"

namespace kilat::flow {

namespace {

std::vector<std::unique_ptr<RuleState>> states_of(const RuleSet& set, uint64_t& last_id) {
  std::vector<std::unique_ptr<RuleState>> states;
  for (const FlowRule& rule : set.rules()) {
    states.push_back(std::make_unique<RuleState>());
    states.back()->rule = &rule;
    states.back()->id = ++last_id;
  }
  return states;
}

void flush(const RuleState& rule) {
  for (const auto& [id, lane] : rule.lanes) lane->flush();
}

}  // namespace

Engine::Engine(RuleSetPtr rules, EventData* shared)
    : rules_(std::move(rules)), state_(std::make_unique<EngineState>(shared)) {
  state_->rules = states_of(*rules_, last_id_);
}

Engine::~Engine() = default;

void Engine::set_stage(uint64_t now_ms, uint64_t unix_ms, std::vector<Emission>& out) {
  Stage& stage = state_->stage;
  // Rules count on a time that does not go back.
  stage.now_ms = std::max(stage.now_ms, now_ms);
  stage.unix_ms = unix_ms;
  stage.out = &out;
}

Fate Engine::on_event(const Event& event, uint8_t depth, std::vector<Emission>& out) {
  advance(event.now_ms, event.unix_ms, out);
  Route& route = state_->route_of(event);
  if (route.spots.empty()) return Fate::kPass;
  state_->stage.data.assign(event.data);
  Fate fate = Fate::kPass;
  bool placed = false;
  for (Spot& spot : route.spots) {
    const bool in_place = spot.target.empty();
    if ((in_place && placed) || !spot.state->rule->wants(event.event)) continue;
    const Lane::Outcome outcome = state_->take(spot, event, depth);
    if (!in_place) continue;
    placed = true;
    const bool goes_on =
        outcome == Lane::Outcome::kUnfit || (outcome == Lane::Outcome::kAsIs && spot.state->rule->as.empty());
    fate = goes_on ? Fate::kPass : Fate::kTaken;
  }
  return fate;
}

std::optional<uint64_t> Engine::next_due_ms() const {
  if (!state_->stage.due.empty()) return state_->stage.now_ms;
  return state_->stage.wheel.next_deadline_ms();
}

void Engine::advance(uint64_t now_ms, uint64_t unix_ms, std::vector<Emission>& out) {
  set_stage(now_ms, unix_ms, out);
  Stage& stage = state_->stage;
  const std::optional<uint64_t> next_ms = next_due_ms();
  if (!next_ms || *next_ms > stage.now_ms) return;
  stage.wheel.advance(stage.now_ms);
  while (!stage.due.empty()) {
    DueNode& node = stage.due.front();
    stage.due.pop_front();
    state_->fire(node);
  }
}

void Engine::replace(RuleSetPtr rules, uint64_t now_ms, uint64_t unix_ms, std::vector<Emission>& out) {
  advance(now_ms, unix_ms, out);
  std::vector<std::unique_ptr<RuleState>>& old = state_->rules;
  std::vector<std::unique_ptr<RuleState>> next = states_of(*rules, last_id_);
  // Which of the old ones each new one goes on with; of equal texts one goes on with one.
  constexpr size_t kNone = SIZE_MAX;
  std::vector<size_t> source(next.size(), kNone);
  std::vector<bool> stays(old.size());
  for (size_t to = 0; to < next.size(); ++to) {
    for (size_t from = 0; from < old.size() && source[to] == kNone; ++from) {
      if (stays[from] || old[from]->rule->text != next[to]->rule->text) continue;
      stays[from] = true;
      source[to] = from;
    }
  }
  for (size_t from = 0; from < old.size(); ++from) {
    if (!stays[from]) flush(*old[from]);
  }
  // From here on nothing needs memory.
  state_->forget_routes();
  for (size_t to = 0; to < next.size(); ++to) {
    if (source[to] == kNone) continue;
    old[source[to]]->rule = next[to]->rule;  // the old set goes with this call
    next[to] = std::move(old[source[to]]);
  }
  old = std::move(next);
  rules_ = std::move(rules);
}

void Engine::flush_all(uint64_t now_ms, uint64_t unix_ms, std::vector<Emission>& out) {
  advance(now_ms, unix_ms, out);
  for (const std::unique_ptr<RuleState>& state : state_->rules) flush(*state);
}

std::vector<Engine::RuleReport> Engine::reports() const {
  std::vector<RuleReport> reports;
  for (const auto& state : state_->rules) {
    reports.push_back({state->rule->text, state->counters, state->keys, state->bytes});
  }
  return reports;
}

size_t Engine::bytes() const {
  size_t bytes = 0;
  for (const auto& state : state_->rules) bytes += state->bytes;
  return bytes;
}

size_t Engine::fixed_bytes() {
  return sizeof(Engine) + sizeof(EngineState) + sizeof(RuleState) + sizeof(Route) + sizeof(Spot);
}

}  // namespace kilat::flow
