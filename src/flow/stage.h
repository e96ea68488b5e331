// Stage: what the lanes of an engine share: the time, the timers, and where results go.
// Owner: one Engine, on the thread of its shard.
//
// A timer that is due only puts its node into the list `due`: results need memory, and a timer must not throw. The
// engine works the list off in Engine::advance.
#pragma once

#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "base/timer_wheel.h"
#include "flow/event.h"
#include "flow/event_data.h"

namespace kilat::flow {

class Lane;
struct Stage;

/// Something that is to be done at a time. Destroying it takes it off all lists.
class DueNode : public Timer,
                public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  explicit DueNode(Stage& stage) : Timer(&DueNode::note), stage_(stage) {}
  virtual ~DueNode() = default;
  DueNode(const DueNode&) = delete;
  DueNode& operator=(const DueNode&) = delete;

  /// Its time has come. May throw std::bad_alloc, and is called again then: what was sent by then stays sent and
  /// counted, the rest is still held. Returns the lane it belongs to.
  virtual Lane& on_due() = 0;

  void wait_until(uint64_t due_ms);

 protected:
  Stage& stage() const { return stage_; }

 private:
  static void note(Timer& timer);

  Stage& stage_;
};

using DueList = boost::intrusive::list<DueNode, boost::intrusive::constant_time_size<false>>;

struct Stage {
  explicit Stage(EventData& data_in) : data(data_in) {}

  TimerWheel wheel{0};
  DueList due;
  uint64_t now_ms = 0;
  uint64_t unix_ms = 0;
  std::vector<Emission>* out = nullptr;
  EventData& data;      ///< of the event that is on stage
  std::string scratch;  ///< for names that are put together to look something up
};

inline void DueNode::wait_until(uint64_t due_ms) {
  if (is_linked()) unlink();
  stage_.wheel.schedule(*this, due_ms);
}

inline void DueNode::note(Timer& timer) {
  auto& node = static_cast<DueNode&>(timer);
  node.stage_.due.push_back(node);
}

}  // namespace kilat::flow
