// AggregateLane: figures of the values of each key in tumbling windows, which begin at multiples of the interval since
// 1970. A window is sent when it is over, plus the grace that late= gives; its figures then never change.
// Owner, lifetime: lane.h. Bounds: the rule's keys (of all open windows together) and bytes; open windows: as many as
// fit between the grace back and the grace and an interval ahead, 204 at most.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "flow/key_figures.h"
#include "flow/lane.h"
#include "flow/window_table.h"

namespace kilat::flow {

class AggregateLane final : public Lane {
 public:
  using Lane::Lane;

  Outcome take(const Event& event, uint8_t depth) override;
  void flush() override;
  bool idle() const override { return windows_.empty() && !armed() && !is_linked(); }
  Lane& on_due() override;

 private:
  /// The price of a key: its figures, and what finds them.
  static constexpr uint64_t kKeyBytes = sizeof(KeyFigures) + 64;
  /// Texts up to here need no memory of their own.
  static constexpr size_t kShort = 15;

  struct Window {
    uint64_t start_ms = 0;
    WindowTable<KeyFigures> table;
    uint64_t events = 0;  ///< not sent yet
    uint64_t bytes = 0;   ///< that the rule was asked for
    std::string name;     ///< of the events
    Form form = Form::kRaw;
    uint8_t depth = 0;
    bool from_client = false;  ///< one of its events was a client's
  };

  bool in_time(uint64_t time_ms) const;
  uint64_t end_of(const Window& window) const { return window.start_ms + rule().interval_ms; }
  bool over(const Window& window) const;
  Window& window_at(uint64_t start_ms, const Event& event);
  bool add(Window& window, std::string_view key, std::string_view value);
  KeyFigures* add_key(Window& window, std::string_view key, std::string_view value, bool with_sketch);
  void discard_empty(const Window& window);
  void arm();
  void send_first();
  void send_batch(Window& window);
  void send_each(Window& window);
  std::string head_of(const Window& window) const;
  std::string tail_of(const Window& window);

  std::vector<std::unique_ptr<Window>> windows_;  ///< by start
  std::unique_ptr<Window> spare_;                 ///< the one that was sent last, for the next
  uint64_t origin_ = 0;                           ///< of its batch ids, so that they differ after a restart
  uint64_t batches_ = 0;
};

}  // namespace kilat::flow
