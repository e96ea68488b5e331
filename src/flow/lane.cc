#include "flow/lane.h"

#include <utility>

#include "base/json_text.h"
#include "flow/aggregate_lane.h"
#include "flow/batch_lane.h"
#include "flow/conflate_lane.h"
#include "flow/route.h"
#include "flow/sample_lane.h"
#include "flow/throttle_lane.h"

namespace kilat::flow {
namespace {

uint64_t bytes_of(const Lane::Names& names) {
  return sizeof(Lane) + names.id.size() + names.channel.size() + names.target.size();
}

}  // namespace

void Held::clear() {
  for (std::string* text : {&event, &data, &origin.user_id, &origin.packet}) text->clear();
  origin.drop_mark();
}

Lane::Lane(Stage& stage, RuleState& state, const Names& names)
    : DueNode(stage), state_(state), id_(names.id), channel_(names.channel), target_(names.target) {}

Lane::~Lane() {
  state_.release(0, bytes_of({id_, channel_, target_}));
  if (spot == nullptr) return;
  --spot->lanes;
  if (spot->recent == this) spot->recent = nullptr;
}

void Lane::emit(std::string_view own_name, std::string&& data, uint8_t depth, const Origin& origin,
                std::optional<std::string_view> key) {
  const bool derived = !target_.empty();
  if (derived && (depth >= kDepthMax || target_ == channel_)) {
    ++counters().cut;
    return;
  }
  Emission emission;
  emission.channel = derived ? target_ : channel_;
  emission.event = rule().as.empty() ? own_name : std::string_view(rule().as);
  emission.depth = derived ? static_cast<uint8_t>(depth + 1) : depth;
  emission.derived = derived;
  if (key) emission.subject = subject_of(*key);
  emission.origin = {origin.from_client,
                     origin.exclude,
                     std::string(origin.user_id),
                     std::string(origin.packet),
                     derived ? Mark() : origin.mark,
                     derived ? 0 : origin.mark_bytes};
  std::vector<Emission>& out = *stage().out;
  out.push_back(std::move(emission));
  out.back().data = std::move(data);
  ++counters().out;
}

// Different for each rule, channel and key, because many may send into one channel. No name of a channel has a zero
// byte.
std::string Lane::subject_of(std::string_view key) const {
  std::string subject;
  append_json_number(subject, state_.id);
  subject += '\0';
  subject += channel_;
  subject += '\0';
  subject += key;
  return subject;
}

std::optional<std::string_view> Lane::key_on_stage() const {
  if (!rule().key) return "";
  if (!json_on_stage()) return std::nullopt;
  const std::optional<std::string_view> key = stage().data.key_at(*rule().key);
  if (key && key->size() <= kKeyBytesMax) return key;
  ++counters().keyless;
  return std::nullopt;
}

bool Lane::json_on_stage() const {
  if (stage().data.is_json()) return true;
  ++counters().not_json;
  return false;
}

uint64_t Lane::held_bytes(const Event& event) const {
  const Origin& origin = event.origin;
  return event.data.size() + (rule().as.empty() ? event.event.size() : 0) + origin.user_id.size() +
         origin.packet.size() + origin.mark_bytes;
}

void Lane::hold(Held& held, const Event& event, uint8_t depth) const {
  const std::string_view name = rule().as.empty() ? event.event : std::string_view();
  // Room for all before any changes.
  held.data.reserve(event.data.size());
  held.event.reserve(name.size());
  held.origin.user_id.reserve(event.origin.user_id.size());
  held.origin.packet.reserve(event.origin.packet.size());
  held.event = name;
  held.data = event.data;
  held.depth = depth;
  held.origin.from_client = event.origin.from_client;
  held.origin.exclude = event.origin.exclude;
  held.origin.user_id = event.origin.user_id;
  held.origin.packet = event.origin.packet;
  held.origin.mark = event.origin.mark;
  held.origin.mark_bytes = event.origin.mark_bytes;
}

bool Lane::replace(Held& held, const Event& event, uint8_t depth) const {
  const uint64_t before = held.bytes();
  const uint64_t size = held_bytes(event);
  if (size > before && !state_.admit(size - before)) return false;
  try {
    hold(held, event, depth);
  } catch (...) {
    if (size > before) state_.release(0, size - before);
    throw;
  }
  if (size < before) state_.release(0, before - size);
  return true;
}

void Lane::drop(Held& held) const {
  state_.release(0, held.bytes());
  held.clear();
}

void Lane::send(Held& held, std::optional<std::string_view> key) {
  const uint64_t size = held.bytes();
  emit(held.event, std::move(held.data), held.depth, held.origin.view(), key);
  held.clear();
  state_.release(0, size);
}

std::unique_ptr<Lane> make_lane(Stage& stage, RuleState& state, const Lane::Names& names) {
  if (!state.admit(bytes_of(names))) return nullptr;
  try {
    switch (state.rule->kind) {
      case FlowKind::kThrottle: return std::make_unique<ThrottleLane>(stage, state, names);
      case FlowKind::kConflate: return std::make_unique<ConflateLane>(stage, state, names);
      case FlowKind::kAggregate: return std::make_unique<AggregateLane>(stage, state, names);
      case FlowKind::kBatch: return std::make_unique<BatchLane>(stage, state, names);
      case FlowKind::kSample: return std::make_unique<SampleLane>(stage, state, names);
    }
  } catch (...) {
    state.release(0, bytes_of(names));
    throw;
  }
  return nullptr;
}

}  // namespace kilat::flow
