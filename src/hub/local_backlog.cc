// Readers who are behind: what waits for them, and when it goes out (docs/flow.md, "Readers that fall behind").
#include <memory>
#include <new>
#include <utility>

#include "hub/local_hub.h"

namespace kilat::hub {

bool LocalHub::waits(const Reader& reader, const Publication& publication) {
  const Subscription& subscription = reader.subscriber->subscriptions_[reader.subscription];
  return !subscription.options.folded && hold_in(*reader.subscriber, subscription, publication);
}

bool LocalHub::hold_named(Subscriber& subscriber, const Publication& publication) {
  const Subscription* subscription = subscriber.find(publication.channel());
  return subscription != nullptr && hold_in(subscriber, *subscription, publication);
}

bool LocalHub::hold_in(Subscriber& subscriber, const Subscription& subscription, const Publication& publication) {
  Backlog* backlog = subscriber.backlog_.get();
  LocalChannel& channel = *subscription.channel;
  // Who keeps positions would take those of what is left out for read.
  const bool counted = subscription.options.positions && publication.number() != 0;
  const bool gives_way = !publication.subject().empty() && !counted;
  // What waits already has to go first, or an old value would be the last that the reader gets.
  if (backlog == nullptr || !backlog->has(channel)) {
    if (!gives_way) return false;
    if (backlog == nullptr && !subscriber.outbox_->behind(publication.text_bytes())) return false;
  }
  try {
    put_aside(subscriber, {PublicationPtr(publication), &channel, subscription.options.format, gives_way});
  } catch (const std::bad_alloc&) {
    subscriber.outbox_->starve();
  }
  return true;
}

void LocalHub::put_aside(Subscriber& subscriber, Backlog::Held&& held) {
  net::Outbox& outbox = *subscriber.outbox_;
  if (!subscriber.backlog_) {
    behind_.push_back(&subscriber);
    try {
      subscriber.backlog_ = std::make_unique<Backlog>(outbox, behind_.size() - 1);
    } catch (...) {
      behind_.pop_back();
      throw;
    }
  }
  try {
    if (subscriber.backlog_->put(std::move(held))) ++tallies_[subscriber.app_].conflated;
  } catch (...) {
    if (subscriber.backlog_->empty()) end_backlog(subscriber);
    throw;
  }
  if (!outbox.past_hard_limit() || outbox.overflowed()) return;
  // A burst within one turn is not mistaken for a slow reader: first the socket gets what it takes.
  if (!outbox.behind(0)) release(subscriber, false);
  if (outbox.past_hard_limit()) outbox.overflow();
}

void LocalHub::release(Subscriber& subscriber, bool all) {
  Backlog* backlog = subscriber.backlog_.get();
  if (backlog == nullptr) return;
  net::Outbox& outbox = *subscriber.outbox_;
  try {
    backlog->tell_missed(
        [&](const LocalChannel& channel, uint64_t count) { sink_.on_missed(subscriber, channel.name, count); });
    while (!backlog->empty() && (all || outbox.fits(backlog->front().publication->text_bytes()))) {
      hand_over(subscriber, backlog->take_front());
    }
  } catch (const std::bad_alloc&) {
    outbox.starve();
  }
  if (backlog->empty()) end_backlog(subscriber);
}

void LocalHub::hand_over(Subscriber& subscriber, const Backlog::Held& held) {
  const Publication& publication = *held.publication;
  const Subscription* subscription = subscriber.find(publication.channel());
  if (subscription != nullptr && subscription->options.folded) return sink_.deliver_folded(subscriber, publication);
  LocalTally& tally = tallies_[subscriber.app_];
  ++deliveries_;
  ++released_;
  ++tally.deliveries;
  tally.delivered_bytes += push(subscriber, held.format, publication);
}

void LocalHub::end_backlog(Subscriber& subscriber) {
  const size_t place = subscriber.backlog_->place();
  behind_[place] = behind_.back();
  behind_[place]->backlog_->set_place(place);
  behind_.pop_back();
  subscriber.backlog_.reset();
}

// From the end, because whoever has nothing left gives its place to the last. Who was served and is still behind goes
// to the front: several may share one outbox (namespaces of one connection), and the next time it is another's turn.
void LocalHub::catch_up() {
  size_t served = 0;
  for (size_t end = behind_.size(); end > served;) {
    const size_t place = end - 1;
    Subscriber* subscriber = behind_[place];
    if (!subscriber->outbox_->has_room()) {
      --end;
      continue;
    }
    release(*subscriber, false);
    if (!subscriber->backlog_) {
      --end;
      continue;
    }
    std::swap(behind_[place], behind_[served]);
    behind_[place]->backlog_->set_place(place);
    subscriber->backlog_->set_place(served++);
  }
}

}  // namespace kilat::hub
