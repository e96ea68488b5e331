// Engine: carries out the flow rules of one app for the channels whose home one shard is.
// Owner and thread: one home shard. Pure: time comes in with the events, results go out by a vector; no clock, no I/O.
// Lifetime: as the app on that shard; what is still held when it is destroyed is lost, so flush_all() comes first.
// Bounds: those of each rule (keys=, bytes=), 10,000 channels that hold nothing. Memory that was used in the last
// window is kept for the next, so a rule may have up to twice its bytes=.
// A window's end needs memory: where there is none, it comes again after 100 ms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flow/counters.h"
#include "flow/event.h"
#include "flow/rule_set.h"

namespace kilat::flow {

struct EngineState;
class EventData;

class Engine {
 public:
  /// `rules` must not be null. `shared`: what takes data apart for many engines, which are used in turn; it outlives
  /// them. Null: one of its own.
  explicit Engine(RuleSetPtr rules, EventData* shared = nullptr);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Whether there is nothing to do for any event.
  bool empty() const { return rules_->empty(); }
  /// See RuleSet::concerns.
  bool concerns(std::string_view channel, std::string_view bare) const { return rules_->concerns(channel, bare); }

  /// An event of a channel. Of the rules in place that fit, the first decides its fate; each that fits with to= gets it
  /// as well. Windows that are over by event.now_ms are sent first. `depth`: 0, or that of the emission the event was.
  /// Appends to `out` what is to be sent before the event itself. Throws std::bad_alloc: the event is then to be
  /// treated as one that was refused; `out` may have results of windows that were over.
  Fate on_event(const Event& event, uint8_t depth, std::vector<Emission>& out);

  /// When to call advance() next, monotonic; never later than something is due, now and then earlier. Nothing when
  /// nothing is held. O(1).
  std::optional<uint64_t> next_due_ms() const;

  /// Sends what is due. Never throws; O(1) when nothing is due.
  void advance(uint64_t now_ms, uint64_t unix_ms, std::vector<Emission>& out);

  /// Other rules. What rules hold whose text stands in both goes on; what the others hold is sent at once. Throws
  /// std::bad_alloc: then the rules are as they were, but some may have been sent before their time.
  void replace(RuleSetPtr rules, uint64_t now_ms, uint64_t unix_ms, std::vector<Emission>& out);

  /// Sends all that is held, before its time. Throws std::bad_alloc.
  void flush_all(uint64_t now_ms, uint64_t unix_ms, std::vector<Emission>& out);

  struct RuleReport {
    std::string_view text;  ///< of the rule; lives until replace()
    FlowCounters counters;
    uint64_t keys = 0;   ///< held now
    uint64_t bytes = 0;  ///< held now
  };
  /// One a rule, in their order.
  std::vector<RuleReport> reports() const;

  /// What the rules hold, without the table of channels.
  size_t bytes() const;
  /// What an engine takes that holds nothing, without its rules.
  static size_t fixed_bytes();

 private:
  void set_stage(uint64_t now_ms, uint64_t unix_ms, std::vector<Emission>& out);

  RuleSetPtr rules_;
  std::unique_ptr<EngineState> state_;
  uint64_t last_id_ = 0;  ///< of a rule's state
};

}  // namespace kilat::flow
