// DeliveryLedger: what was said on the channels and who has heard it. Aborts when somebody hears what they must not: a
// channel they have not joined, an event twice, out of order, or their own; and when two readers of a channel disagree
// about the order of its events.
// Owner: one run of a fuzz target. Bounds: what the run publishes.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_parser.h"

namespace kilat::fake_net {

/// A channel of an app.
using Room = std::pair<std::string, std::string>;

class DeliveryLedger {
 public:
  using ReaderId = size_t;
  static constexpr size_t kNobody = SIZE_MAX;

  ReaderId add_reader(std::string_view app);

  /// An event is about to be published: its number, to be sent as data. `publisher` keeps the order of its own events.
  /// `except`: must not hear it.
  uint64_t publish(const Room& room, size_t publisher, ReaderId except = kNobody);
  /// As `data` of the event.
  static std::string data_of(uint64_t number) { return "#" + std::to_string(number) + "#"; }

  void subscribe(ReaderId reader, std::string_view channel);
  void unsubscribe(ReaderId reader, std::string_view channel);
  /// Everything that was said so far has been carried out.
  void settled();

  /// A text that `reader` has received.
  void heard(ReaderId reader, std::string_view text);
  /// Events that readers have heard so far.
  uint64_t heard_count() const { return heard_; }
  /// At the end of the run.
  void compare_orders() const;

 private:
  /// What one reader may hear of one channel: the numbers from `from` until `until`.
  struct Span {
    uint64_t from = 0;
    uint64_t until = UINT64_MAX;
    bool ending = false;  ///< unsubscribed, which the server may not know yet
  };
  struct Ear {
    std::vector<Span> spans;
    std::vector<uint64_t> order;
    std::set<uint64_t> known;
    std::map<size_t, uint64_t> last_of;  ///< by publisher
    bool cached_next = false;            ///< the next event may be one from before
  };
  struct Reader {
    std::string app;
    std::map<std::string, Ear, std::less<>> ears;
  };
  struct Event {
    Room room;
    size_t publisher;
    ReaderId except;
  };

  void heard_event(ReaderId id, const std::string& channel, uint64_t number);

  std::vector<Reader> readers_;
  std::vector<Event> events_;
  uint64_t settled_ = 0;
  uint64_t heard_ = 0;
  JsonParser parser_;
};

}  // namespace kilat::fake_net
