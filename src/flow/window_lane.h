// WindowLane: what lanes share that gather events for an interval and then send. The window begins with its first
// event, so no two windows of a channel end within one interval, and channels do not all send at the same moment.
// Owner, lifetime: lane.h; after a window the lane stays for another interval, because a busy channel needs it again.
#pragma once

#include "flow/lane.h"

namespace kilat::flow {

class WindowLane : public Lane {
 public:
  using Lane::Lane;

  Lane& on_due() final {
    if (!open_) return *this;
    flush();
    open_ = false;
    wait_until(stage().now_ms + rule().interval_ms);
    return *this;
  }

  bool idle() const final { return !open_ && !armed() && !is_linked(); }

 protected:
  /// Something is held now. Never throws.
  void open() {
    if (open_) return;
    open_ = true;
    wait_until(stage().now_ms + rule().interval_ms);
  }

 private:
  bool open_ = false;
};

}  // namespace kilat::flow
