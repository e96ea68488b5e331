// Backlog: what one connection has not been sent because it reads too slowly, the newest of each subject, in the order
// in which it came (docs/flow.md, "Readers that fall behind"). Publications are shared; nothing is copied or encoded.
// Owner: a Subscriber, on its shard; exists only while something waits. Bounds: what waits counts for the hard limit of
// the connection's outbox and for the budget of the shard, kHeldCost and its texts for each event.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string_view>
#include <unordered_map>

#include "base/keyed_hash.h"
#include "hub/ids.h"
#include "hub/publication.h"
#include "net/outbox.h"

namespace kilat::hub {

struct LocalChannel;

class Backlog {
 public:
  /// What an event costs beside its texts: its places in the list and the table, and its share of the publication.
  static constexpr uint32_t kHeldCost = 128;

  struct Held {
    PublicationPtr publication;
    LocalChannel* channel;
    Format format;   ///< in which the connection reads the channel
    bool gives_way;  ///< to a later one with its subject
  };

  /// `place`: see place().
  Backlog(net::Outbox& outbox, size_t place) : outbox_(&outbox), place_(place) {}
  ~Backlog();
  Backlog(const Backlog&) = delete;
  Backlog& operator=(const Backlog&) = delete;

  /// Adds an event behind all others. If one of the channel with the same subject was there, and both give way, that
  /// one goes: then true. std::bad_alloc: nothing has changed.
  bool put(Held&& held);
  bool empty() const { return order_.empty(); }
  bool has(LocalChannel& channel) const { return channels_.contains(&channel); }
  const Held& front() const { return order_.front(); }
  Held take_front();
  /// Drops what waits of a channel: it is read no longer.
  void drop(LocalChannel& channel);
  /// Calls `tell(channel, count)` for each channel of which events went since the last call.
  template <typename Tell>
  void tell_missed(Tell&& tell) {
    for (auto& [channel, account] : channels_) {
      if (account.missed == 0) continue;
      tell(*channel, account.missed);
      account.missed = 0;
    }
  }

  /// What waits counts there from now on.
  void move_to(net::Outbox& outbox);

  /// Where its owner stands in the hub's list of those who are behind.
  size_t place() const { return place_; }
  void set_place(size_t place) { place_ = place; }

 private:
  struct Subject {
    LocalChannel* channel;
    std::string_view text;  ///< in the publication that waits
    bool operator==(const Subject&) const = default;
  };
  struct SubjectHash {
    size_t operator()(const Subject& subject) const {
      return keyed_hash(subject.text, kHashSeed ^ reinterpret_cast<uintptr_t>(subject.channel));
    }
  };
  struct Account {
    uint32_t waiting = 0;
    uint64_t missed = 0;
  };
  using Order = std::list<Held>;

  static uint32_t cost(const Publication& publication) {
    return publication.text_bytes() + publication.audience_bytes() + kHeldCost;
  }
  bool replace(Held& held);
  void add(Held&& held);
  void remove(Order::iterator held);
  void count(uint32_t bytes);
  void discount(uint32_t bytes);

  net::Outbox* outbox_;
  Order order_;
  std::unordered_map<Subject, Order::iterator, SubjectHash> newest_;
  boost::unordered_flat_map<LocalChannel*, Account> channels_;
  uint32_t bytes_ = 0;
  size_t place_;
};

}  // namespace kilat::hub
