#include "flow/throttle_lane.h"

#include <utility>

namespace kilat::flow {

Lane& ThrottleLane::Key::on_due() {
  // The key may be gone afterwards.
  ThrottleLane& owner = lane;
  owner.end_interval(*this);
  return owner;
}

Lane::Outcome ThrottleLane::take(const Event& event, uint8_t depth) {
  const std::optional<std::string_view> name = key_on_stage();
  if (!name) return Outcome::kUnfit;
  const auto found = keys_.find(*name);
  if (found == keys_.end()) {
    if (!make_key(*name, event, depth)) return Outcome::kUnfit;
    return rule().leading ? Outcome::kAsIs : Outcome::kTaken;
  }
  if (!rule().trailing) {
    ++counters().folded;
    return Outcome::kTaken;
  }
  Key& key = *found->second;
  if (!replace(key.held, event, depth)) {
    if (target().empty() && key.waiting) forget(key);
    return Outcome::kUnfit;
  }
  ++(key.waiting ? counters().folded : counters().held);
  key.waiting = true;
  return Outcome::kTaken;
}

void ThrottleLane::forget(Key& key) {
  drop(key.held);
  key.waiting = false;
  --counters().held;
  ++counters().folded;
}

bool ThrottleLane::make_key(std::string_view name, const Event& event, uint8_t depth) {
  const bool waits = !rule().leading;
  const uint64_t size = kNodeBytes + name.size() + (waits ? held_bytes(event) : 0);
  if (!state().admit_key(size)) return false;
  try {
    auto key = std::make_unique<Key>(stage(), *this, name);
    if (waits) hold(key->held, event, depth);
    key->waiting = waits;
    Key& made = *key;
    keys_.emplace(made.key, std::move(key));
    made.wait_until(stage().now_ms + rule().interval_ms);
  } catch (...) {
    state().release(1, size);
    throw;
  }
  if (waits) ++counters().held;
  return true;
}

void ThrottleLane::end_interval(Key& key) {
  if (key.waiting) {
    send_waiting(key);
    key.wait_until(stage().now_ms + rule().interval_ms);
    return;
  }
  state().release(1, kNodeBytes + key.key.size());
  // By a copy of the view: erasing reads it while the key goes.
  keys_.erase(keys_.find(std::string_view(key.key)));
}

void ThrottleLane::send_waiting(Key& key) {
  send(key.held);
  key.waiting = false;
  --counters().held;
}

void ThrottleLane::flush() {
  for (const auto& [name, key] : keys_) {
    if (key->waiting) send_waiting(*key);
  }
}

}  // namespace kilat::flow
