// BatchLane: all events of a window in one, whose data is the array of theirs. When the rule's bytes are used up, the
// batch is sent before its time, so that nothing is lost.
// Owner, lifetime: window_lane.h. Bounds: the rule's bytes.
#pragma once

#include <string>

#include "flow/window_lane.h"

namespace kilat::flow {

class BatchLane final : public WindowLane {
 public:
  using WindowLane::WindowLane;

  Outcome take(const Event& event, uint8_t depth) override;
  void flush() override;

 private:
  bool append(const Event& event, bool last_try);

  std::string name_;    ///< of the events; they have the same, where the rule has none for all
  std::string inside_;  ///< the array without brackets, as its form wants it
  uint64_t admitted_ = 0;
  uint64_t events_ = 0;
  uint8_t depth_ = 0;
  bool from_client_ = false;  ///< one of them was a client's
  Form form_ = Form::kRaw;
};

}  // namespace kilat::flow
