#include "flow/conflate_lane.h"

#include <algorithm>
#include <utility>

namespace kilat::flow {

void ConflateLane::Entry::reset() {
  for (std::string* text : {&held.event, &held.data, &held.origin.user_id, &held.origin.packet}) {
    WindowTable<Entry>::shrink(*text);
  }
  held.origin.drop_mark();
  events = 0;
}

Lane::Outcome ConflateLane::take(const Event& event, uint8_t depth) {
  if (rule().one_event && !json_on_stage()) return Outcome::kUnfit;
  const std::optional<std::string_view> key = key_on_stage();
  if (!key) return Outcome::kUnfit;
  if (Entry* entry = table_.find(*key)) {
    if (!replace(entry->held, event, depth)) {
      if (target().empty()) forget(*entry);
      return Outcome::kUnfit;
    }
    ++entry->events;
  } else if (!add(*key, event, depth)) {
    return Outcome::kUnfit;
  }
  ++counters().held;
  open();
  return Outcome::kTaken;
}

void ConflateLane::forget(Entry& entry) {
  drop(entry.held);
  counters().held -= entry.events;
  counters().folded += entry.events;
  entry.events = 0;
}

bool ConflateLane::add(std::string_view key, const Event& event, uint8_t depth) {
  const uint64_t size = kNodeBytes + key.size() + held_bytes(event);
  if (!state().admit_key(size)) return false;
  try {
    Held held;
    hold(held, event, depth);
    Entry& entry = table_.add(key);
    entry.held = std::move(held);
    entry.events = 1;
  } catch (...) {
    state().release(1, size);
    throw;
  }
  return true;
}

void ConflateLane::flush() {
  if (rule().one_event) {
    send_batch();
  } else {
    send_each();
  }
  clear();
}

void ConflateLane::send_each() {
  for (const auto& entry : table_.entries()) {
    if (entry->events == 0) continue;
    send(entry->held, entry->key);
    counters().held -= entry->events;
    counters().folded += entry->events - 1;
    entry->events = 0;
  }
}

void ConflateLane::send_batch() {
  const auto entries = table_.entries();
  const auto first = std::ranges::find_if(entries, [](const auto& entry) { return entry->events > 0; });
  if (first == entries.end()) return;
  const Form form = form_of((*first)->held.data);
  std::string data(form == Form::kLiteral ? "\"[" : "[");
  uint8_t depth = 0;
  uint64_t events = 0;
  Origin origin;
  for (const auto& entry : entries) {
    if (entry->events == 0) continue;
    if (entry != *first) data += ',';
    stage().data.append_inside(data, entry->held.data, form);
    depth = std::max(depth, entry->held.depth);
    events += entry->events;
    origin.from_client |= entry->held.origin.from_client;
  }
  data += form == Form::kLiteral ? "]\"" : "]";
  emit((*first)->held.event, std::move(data), depth, origin);
  counters().held -= events;
  counters().folded += events - 1;
}

void ConflateLane::clear() {
  uint64_t size = 0;
  for (const auto& entry : table_.entries()) size += kNodeBytes + entry->key.size() + entry->held.bytes();
  state().release(table_.size(), size);
  table_.clear();
}

}  // namespace kilat::flow
