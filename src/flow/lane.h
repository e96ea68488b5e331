// Lane: what one rule does with the events of one channel (and of one name, where names are folded apart).
// Owner: its RuleState, on the thread of the engine's shard. Lifetime: from an event to fold until nothing is held any
// more and an interval has gone by; then idle() is true and the engine destroys it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "flow/event.h"
#include "flow/rule_state.h"
#include "flow/stage.h"

namespace kilat::flow {

struct Spot;

/// An event that waits. What the rule can do without is not kept.
struct Held {
  std::string event;  ///< empty when the rule has a name for all
  std::string data;
  KeptOrigin origin;
  uint8_t depth = 0;

  uint64_t bytes() const { return event.size() + data.size() + origin.bytes(); }
  /// It holds nothing any more; its memory stays.
  void clear();
};

class Lane : public DueNode {
 public:
  enum class Outcome : uint8_t {
    kAsIs,   ///< goes out at once, unchanged
    kTaken,  ///< held, folded or left out
    kUnfit,  ///< the rule can do nothing with it; counted
  };

  struct Names {
    std::string_view id;       ///< by which its RuleState finds it
    std::string_view channel;  ///< the channel of its events
    std::string_view target;   ///< the channel of its results; empty: in place
  };

  Lane(Stage& stage, RuleState& state, const Names& names);
  ~Lane() override;

  /// The event on stage. When it throws std::bad_alloc, nothing has changed.
  virtual Outcome take(const Event& event, uint8_t depth) = 0;
  /// Sends what is held, now. As on_due, it may throw and be called again.
  virtual void flush() = 0;
  /// Nothing is held, and nothing has to be remembered.
  virtual bool idle() const = 0;

  RuleState& state() const { return state_; }
  const std::string& id() const { return id_; }
  /// Sends `data` as event `own_name`, or as what the rule calls it. When it throws std::bad_alloc, nothing is sent and
  /// `data` is as it was. `origin`: of the one event that it is, or of what several were made of.
  /// `key`: it is the newest event of that key, and gives way to the next one for readers who are behind.
  void emit(std::string_view own_name, std::string&& data, uint8_t depth, const Origin& origin,
            std::optional<std::string_view> key = std::nullopt);

  Spot* spot = nullptr;  ///< where its channel's route keeps it at hand; null: nowhere

 protected:
  static constexpr size_t kKeyBytesMax = 1'024;
  /// The price of what holds a key or a lane, beside the texts.
  static constexpr uint64_t kNodeBytes = 256;

  const FlowRule& rule() const { return *state_.rule; }
  const std::string& target() const { return target_; }
  FlowCounters& counters() const { return state_.counters; }

  /// The key of the event on stage, "" where the rule has none; nothing (and counted) when the event has none.
  std::optional<std::string_view> key_on_stage() const;
  /// Whether the data on stage is JSON; counts when not.
  bool json_on_stage() const;
  /// How many bytes an event on stage takes when held.
  uint64_t held_bytes(const Event& event) const;
  /// Copies it; when it throws, `held` is as it was.
  void hold(Held& held, const Event& event, uint8_t depth) const;
  /// The same in place of what is held, with the bytes of the rule; false, and counted, when it has no room.
  bool replace(Held& held, const Event& event, uint8_t depth) const;
  /// Lets go of it, and gives its bytes back: a newer event goes out at once, and no older one may come after it.
  void drop(Held& held) const;
  /// Sends it and gives its bytes back; see emit().
  void send(Held& held, std::optional<std::string_view> key = std::nullopt);

 private:
  std::string subject_of(std::string_view key) const;

  RuleState& state_;
  std::string id_;
  std::string channel_;
  std::string target_;
};

/// The lane for a rule of any kind; null, and counted, when the rule has no room for it.
std::unique_ptr<Lane> make_lane(Stage& stage, RuleState& state, const Lane::Names& names);

}  // namespace kilat::flow
