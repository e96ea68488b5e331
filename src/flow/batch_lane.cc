#include "flow/batch_lane.h"

#include <algorithm>
#include <utility>

namespace kilat::flow {

Lane::Outcome BatchLane::take(const Event& event, uint8_t depth) {
  if (!json_on_stage()) return Outcome::kUnfit;
  if (!append(event, events_ == 0)) {
    if (events_ == 0) return Outcome::kUnfit;
    flush();
    wait_until(stage().now_ms + rule().interval_ms);
    if (!append(event, true)) return Outcome::kUnfit;
  }
  ++events_;
  ++counters().held;
  depth_ = std::max(depth_, depth);
  from_client_ |= event.origin.from_client;
  open();
  return Outcome::kTaken;
}

// `last_try`: counts when there is no room.
bool BatchLane::append(const Event& event, bool last_try) {
  const bool first = events_ == 0;
  const size_t before = inside_.size();
  uint64_t size = 0;
  try {
    if (first) {
      name_ = event.event;
      form_ = stage().data.form();
      size = kNodeBytes + name_.size();
    } else {
      inside_ += ',';
    }
    stage().data.append_inside(inside_, event.data, form_);
    size += inside_.size() - before;
    if (!last_try && !state().has_room(size)) {
      inside_.resize(before);
      return false;
    }
  } catch (...) {
    inside_.resize(before);
    throw;
  }
  if (!(first ? state().admit_key(size) : state().admit(size))) {
    inside_.resize(before);
    return false;
  }
  admitted_ += size;
  return true;
}

void BatchLane::flush() {
  if (events_ == 0) return;
  const bool literal = form_ == Form::kLiteral;
  std::string data;
  data.reserve(inside_.size() + 4);
  data += literal ? "\"[" : "[";
  data += inside_;
  data += literal ? "]\"" : "]";
  emit(name_, std::move(data), depth_, {.from_client = from_client_});
  counters().held -= events_;
  counters().folded += events_ - 1;
  state().release(1, admitted_);
  inside_.clear();
  admitted_ = events_ = 0;
  depth_ = 0;
  from_client_ = false;
}

}  // namespace kilat::flow
