#include "flow/aggregate_lane.h"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <utility>

#include "base/json_text.h"
#include "base/random.h"
#include "flow/event_time.h"

namespace kilat::flow {

Lane::Outcome AggregateLane::take(const Event& event, uint8_t depth) {
  if (!json_on_stage()) return Outcome::kUnfit;
  const std::optional<std::string_view> key = key_on_stage();
  if (!key) return Outcome::kUnfit;
  const std::optional<std::string_view> value = stage().data.number_at(*rule().value);
  if (!value) return ++counters().valueless, Outcome::kUnfit;
  uint64_t time_ms = stage().unix_ms;
  if (rule().time) {
    const std::optional<uint64_t> time = stage().data.time_at(*rule().time);
    if (!time) return ++counters().timeless, Outcome::kUnfit;
    if (!in_time(*time)) return Outcome::kUnfit;
    time_ms = *time;
  }
  Window& window = window_at(time_ms - time_ms % rule().interval_ms, event);
  try {
    if (!add(window, *key, *value)) return discard_empty(window), Outcome::kUnfit;
  } catch (...) {
    discard_empty(window);
    throw;
  }
  window.depth = std::max(window.depth, depth);
  window.from_client |= event.origin.from_client;
  ++counters().held;
  if (++window.events == 1) arm();
  return Outcome::kTaken;
}

bool AggregateLane::in_time(uint64_t time_ms) const {
  const uint64_t now_ms = stage().unix_ms;
  if (time_ms - time_ms % rule().interval_ms + rule().interval_ms + rule().late_ms <= now_ms) {
    ++counters().late;
    return false;
  }
  if (time_ms > now_ms + rule().interval_ms + rule().late_ms) {
    ++counters().early;
    return false;
  }
  return true;
}

// Its time and the grace are over; or the clock was set back so far that it could not have begun yet.
bool AggregateLane::over(const Window& window) const {
  const uint64_t now_ms = stage().unix_ms;
  return end_of(window) + rule().late_ms <= now_ms || window.start_ms > now_ms + rule().interval_ms + rule().late_ms;
}

AggregateLane::Window& AggregateLane::window_at(uint64_t start_ms, const Event& event) {
  // Nearly always the newest.
  if (!windows_.empty() && windows_.back()->start_ms == start_ms) return *windows_.back();
  const auto at = std::ranges::lower_bound(windows_, start_ms, {}, [](const auto& window) { return window->start_ms; });
  if (at != windows_.end() && (*at)->start_ms == start_ms) return **at;
  auto window = spare_ ? std::move(spare_) : std::make_unique<Window>();
  window->start_ms = start_ms;
  window->name = event.event;
  window->form = stage().data.form();
  window->depth = 0;
  window->from_client = false;
  return **windows_.insert(at, std::move(window));
}

bool AggregateLane::add(Window& window, std::string_view key, std::string_view value) {
  KeyFigures* figures = window.table.find(key);
  const bool with_sketch = rule().has(Figure::kP50) || rule().has(Figure::kP95);
  if (figures == nullptr) {
    figures = add_key(window, key, value, with_sketch);
    if (figures == nullptr) return false;
  } else if ((with_sketch || value.size() > kShort) && !state().has_room(4 * value.size())) {
    // The only ones whose figures need more memory from value to value.
    ++counters().bytes_full;
    return false;
  }
  const uint64_t before = figures->bytes();
  const auto account = [&] {
    window.bytes += figures->bytes() - before;
    state().bytes += figures->bytes() - before;
  };
  try {
    figures->add(value, with_sketch);
  } catch (...) {
    account();
    throw;
  }
  account();
  return true;
}

KeyFigures* AggregateLane::add_key(Window& window, std::string_view key, std::string_view value, bool with_sketch) {
  const uint64_t size = kKeyBytes + key.size() + (value.size() > kShort ? 4 * value.size() : 0) +
                        (with_sketch ? sizeof(QuantileSketch) : 0);
  if (!state().admit_key(size)) return nullptr;
  try {
    KeyFigures& figures = window.table.add(key);
    // From here on the texts and the sketch are counted as what they are, the memory of an earlier window included.
    const uint64_t exact = kKeyBytes + key.size() + figures.bytes();
    state().bytes += exact - size;
    window.bytes += exact;
    return &figures;
  } catch (...) {
    state().release(1, size);
    throw;
  }
}

void AggregateLane::discard_empty(const Window& window) {
  if (window.events != 0) return;
  state().release(window.table.size(), window.bytes);
  std::erase_if(windows_, [&](const auto& each) { return each.get() == &window; });
}

// For the window that ends first. Where the clock of the day and the timers do not go alike, on_due asks again.
void AggregateLane::arm() {
  uint64_t wait_ms = rule().interval_ms;
  if (!windows_.empty()) {
    const uint64_t due_ms = end_of(*windows_.front()) + rule().late_ms;
    wait_ms = due_ms - std::min(stage().unix_ms, due_ms);
  }
  wait_until(stage().now_ms + wait_ms);
}

Lane& AggregateLane::on_due() {
  if (windows_.empty()) return *this;
  while (!windows_.empty() && over(*windows_.front())) send_first();
  arm();
  return *this;
}

void AggregateLane::flush() {
  while (!windows_.empty()) send_first();
}

void AggregateLane::send_first() {
  Window& window = *windows_.front();
  if (rule().one_event) {
    send_batch(window);
  } else {
    send_each(window);
  }
  state().release(window.table.size(), window.bytes);
  window.table.clear();
  window.bytes = 0;
  spare_ = std::move(windows_.front());
  windows_.erase(windows_.begin());
}

std::string AggregateLane::head_of(const Window& window) const {
  std::string head = R"({"window":{"start":")";
  append_iso_time(head, window.start_ms);
  head += R"(","end":")";
  append_iso_time(head, end_of(window));
  head += R"("})";
  return head;
}

// A window may be sent twice, in two lives of the server, so its beginning alone would be no id.
std::string AggregateLane::tail_of(const Window& window) {
  if (origin_ == 0) origin_ = Random().next() | 1;
  std::string tail = R"(,"timestamp":")";
  append_iso_time(tail, end_of(window));
  tail += R"(","channel":)";
  append_json_string(tail, target());
  std::array<char, 48> id{};
  std::snprintf(id.data(), id.size(), "%016" PRIx64 "-%" PRIu64, origin_, ++batches_);
  tail += R"(,"batchId":")";
  tail += id.data();
  tail += R"("})";
  return tail;
}

void AggregateLane::send_batch(Window& window) {
  if (window.events == 0) return;
  std::string json = rule().as_message ? R"({"data":)" : head_of(window) + R"(,"values":)";
  if (rule().key) json += '{';
  for (const auto& figures : window.table.entries()) {
    if (figures->count == 0) continue;
    if (rule().key) {
      if (json.back() != '{') json += ',';
      append_json_string(json, figures->key);
      json += ':';
    }
    figures->append(json, rule());
  }
  if (rule().key) json += '}';
  json += rule().as_message ? tail_of(window) : "}";
  emit(window.name, in_form(std::move(json), window.form), window.depth, {.from_client = window.from_client});
  counters().held -= window.events;
  counters().folded += window.events - 1;
  window.events = 0;
}

void AggregateLane::send_each(Window& window) {
  const std::string head = head_of(window);
  for (const auto& figures : window.table.entries()) {
    if (figures->count == 0) continue;
    std::string json = head;
    if (rule().key) {
      json += R"(,"key":)";
      append_json_string(json, figures->key);
    }
    json += R"(,"values":)";
    figures->append(json, rule());
    json += '}';
    emit(window.name, in_form(std::move(json), window.form), window.depth, {.from_client = window.from_client});
    counters().held -= figures->count;
    counters().folded += figures->count - 1;
    window.events -= figures->count;
    figures->count = 0;
  }
}

}  // namespace kilat::flow
