// Ledger: what was sent, what every subscription got, and whether the two agree. The model of the stress test.
// Owner: the stress program's one thread. Bounds: what was sent and received since the last audit.
//
// How it judges: a witness reads each channel all the time, so what it got is the channel's order (its *line*). Every
// other subscription must have got one unbroken slice of this line, less the events that exclude its client. Where the
// slice begins is where the home took the subscription; the members and the cached event that came with it must be
// those of exactly this place. Ticks, one for each thing that this program did or saw, bound the place from both sides.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace kilat::stress {

/// One thing that a channel tells its readers.
struct Item {
  enum class Kind : uint8_t { kEvent, kAdded, kRemoved, kCount };
  Kind kind = Kind::kEvent;
  uint32_t number = 0;  ///< event: its id; members: the user; count: the count
  uint32_t info = 0;    ///< kAdded: the client whose user_info it carries

  bool operator==(const Item&) const = default;
};

/// Members of a presence channel: user, and the client whose user_info is shown.
using Members = std::map<uint32_t, uint32_t>;

struct Channel {
  std::string name;
  bool presence = false;
  bool cache = false;
  bool client_events = false;
  bool alone = false;  ///< never one of several channels of an event
};

/// One subscription from its subscribe to its end.
struct Epoch {
  uint32_t client = 0;
  uint32_t channel = 0;
  uint32_t user = 0;
  bool witness = false;
  bool open = true;      ///< neither left nor closed
  bool wanted = true;    ///< no unsubscribe was sent
  bool refused = false;  ///< presence: the channel was full
  bool carried = false;  ///< joined before the last audit
  bool cached_due = false;
  bool counts = true;  ///< is told of subscription counts
  uint64_t sub_tick = 0;
  uint64_t joined_tick = 0;                       ///< 0: no subscription_succeeded yet
  std::optional<uint32_t> cached;                 ///< cache channels: the event that came with the join; 0: a miss
  Members members;                                ///< presence: of subscription_succeeded
  std::vector<std::pair<size_t, Members>> again;  ///< later snapshots, and the number of items before each
  std::vector<Item> items;
  uint32_t again_due = 0;  ///< answers to a repeated subscribe still to come
};

/// One request to publish: an event on several channels, a batch, or one client event.
struct Request {
  enum class Fate : uint8_t { kUnknown, kSent, kAccepted, kRefused };
  Fate fate = Fate::kSent;
  bool backend = true;
  bool old = false;       ///< was open at an audit already
  uint32_t parts = 0;     ///< events times channels
  uint32_t left_out = 0;  ///< kAccepted: parts that were refused (503 for some of several channels)
  uint32_t delivered = 0;
  uint64_t sent_tick = 0;
  uint64_t settled_tick = 0;  ///< 0: no answer yet
};

struct Event {
  uint32_t request = 0;
  bool backend = true;
  bool emitted = false;   ///< by the emit API of Socket.IO
  bool finished = false;  ///< audited: only a cache may still give it
  uint32_t source = 0;    ///< a publisher; ids of one source grow in the order in which they were sent
  uint32_t excluded = 0;  ///< client that must not get it; 0: none
  uint32_t user = 0;      ///< client event on a presence channel: the sender
  uint32_t padding = 0;
  std::vector<uint32_t> channels;
};

class Ledger {
 public:
  using Complain = std::function<void(const std::string&)>;

  /// `lossy`: mailboxes are so small that client events may be dropped without a word.
  Ledger(std::vector<Channel> channels, uint32_t members_max, bool lossy, Complain complain);

  uint64_t tick() { return ++tick_; }
  const std::vector<Channel>& channels() const { return channels_; }

  uint32_t add_request(bool backend);
  uint32_t add_event(uint32_t request, Event event);
  void settle(uint32_t request, Request::Fate fate, uint32_t left_out = 0);
  /// The client events of a connection that was reset may never have left this machine.
  void abandon(uint32_t client);
  const Event* event(uint32_t id) const;
  /// The text that event `id` carries: made of the id, so that a changed byte shows.
  std::string text_of(uint32_t id) const;

  Epoch& begin(uint32_t client, uint32_t channel, uint32_t user, bool witness);
  /// Items of the channel's line so far; 0 before a witness has joined.
  const Epoch* witness(uint32_t channel) const;
  /// Subscriptions that are open, joined and wanted; the users of them.
  uint32_t subscriptions(uint32_t channel) const;
  std::map<uint32_t, uint32_t> users(uint32_t channel) const;
  /// Whether every subscription has its answers and ends with event `id`.
  bool all_end_with(uint32_t channel, uint32_t id) const;
  /// What a subscription that does not end with `id` looks like, for a failure.
  std::string straggler(uint32_t channel, uint32_t id) const;
  /// Client events that must still come.
  size_t client_events_due() const;

  /// Compares everything since the last audit, at a moment when all is quiet, and begins anew.
  void audit();

  // What was seen, for the report.
  uint64_t deliveries = 0;
  uint64_t slices = 0;
  uint64_t refused_parts = 0;
  uint64_t lost_client_events = 0;

 private:
  struct Line;

  void check_line(uint32_t channel, Line& line);
  void check_population(uint32_t channel) const;
  void check_line_event(const Line& line, uint32_t channel, const Item& item, std::map<uint32_t, uint32_t>& newest);
  void check_epoch(const Line& line, const Epoch& epoch);
  std::optional<size_t> find_slice(const Line& line, const Epoch& epoch) const;
  std::string why_not(const Line& line, const Epoch& epoch, size_t start) const;
  std::string match_items(const Line& line, const Epoch& epoch, size_t start) const;
  std::string check_start(const Line& line, const Epoch& epoch, size_t start) const;
  void check_refusal(const Line& line, const Epoch& epoch) const;
  void check_requests();
  /// Whether an item of the line is not for this subscription.
  bool passes_by(const Item& item, const Epoch& epoch) const;
  std::string show(const Item& item) const;
  std::string show(const Epoch& epoch) const;

  std::vector<Channel> channels_;
  uint32_t members_max_;
  bool lossy_;
  Complain complain_;
  uint64_t tick_ = 0;
  uint32_t last_request_ = 0;
  uint32_t last_event_ = 0;
  std::unordered_map<uint32_t, Request> requests_;
  std::unordered_map<uint32_t, Event> events_;
  std::vector<std::vector<std::unique_ptr<Epoch>>> epochs_;  // by channel
  // What the last audit left behind, by channel.
  std::vector<Members> members_;
  std::vector<uint32_t> counts_;
  std::vector<uint32_t> cached_;
};

}  // namespace kilat::stress
