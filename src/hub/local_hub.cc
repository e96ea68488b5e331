#include "hub/local_hub.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/check.h"
#include "base/memory_reserve.h"

namespace kilat::hub {

LocalHub::~LocalHub() = default;

void LocalHub::add(Subscriber& subscriber) {
  uint32_t slot = 0;
  if (free_slots_.empty()) {
    slot = static_cast<uint32_t>(slots_.size());
    // Room for every slot, so that remove() does not allocate.
    if (free_slots_.capacity() <= slots_.size()) free_slots_.reserve(std::max<size_t>(16, 2 * slots_.size()));
    slots_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  slots_[slot].subscriber = &subscriber;
  subscriber.handle_ = {slot, slots_[slot].generation};
}

void LocalHub::remove(Subscriber& subscriber) {
  if (subscriber.handle_.generation == 0) return;
  Slot& slot = slots_[subscriber.handle_.slot];
  KILAT_CHECK(slot.subscriber == &subscriber && subscriber.subscriptions_.empty());
  slot.subscriber = nullptr;
  if (++slot.generation == 0) slot.generation = 1;
  free_slots_.push_back(subscriber.handle_.slot);
  subscriber.handle_ = {};
}

Subscriber* LocalHub::resolve(Handle handle) const {
  if (handle.generation == 0 || handle.slot >= slots_.size()) return nullptr;
  const Slot& slot = slots_[handle.slot];
  return slot.generation == handle.generation ? slot.subscriber : nullptr;
}

LocalChannel& LocalHub::channel(AppIndex app, std::string_view name, ShardIndex home) {
  if (LocalChannel* present = channels_.find(app, name)) return *present;
  if (app >= tallies_.size()) tallies_.resize(app + 1);
  auto channel = std::make_unique<LocalChannel>();
  channel->app = app;
  channel->kind = kind_of(name);
  channel->home = home;
  channel->name = name;
  return channels_.insert(std::move(channel));
}

Subscription& LocalHub::begin(Subscriber& subscriber, std::string_view name, ShardIndex home, uint32_t token,
                              std::unique_ptr<std::string> user, JoinOptions options) {
  if (options.format == kFormatsMax) options.format = subscriber.format_;
  std::vector<Subscription>& subscriptions = subscriber.subscriptions_;
  if (subscriptions.size() == subscriptions.capacity()) {
    subscriptions.reserve(std::max<size_t>(1, 2 * subscriptions.size()));
  }
  LocalChannel& joined = channel(subscriber.app_, name, home);
  ++joined.references;
  return subscriptions.emplace_back(Subscription{&joined, std::move(user), Subscription::kPending, token, options});
}

void LocalHub::complete(Subscriber& subscriber, Subscription& subscription) {
  KILAT_CHECK(subscription.place == Subscription::kPending);
  std::vector<Reader>& readers = subscription.channel->readers[subscription.options.format];
  const auto index = static_cast<uint32_t>(&subscription - subscriber.subscriptions_.data());
  subscription.place = Subscription::kNowhere;
  readers.push_back({&subscriber, index});
  subscription.place = static_cast<uint32_t>(readers.size() - 1);
  ++tallies_[subscriber.app_].subscriptions;
}

void LocalHub::end(Subscriber& subscriber, size_t index) {
  std::vector<Subscription>& subscriptions = subscriber.subscriptions_;
  Subscription& ended = subscriptions[index];
  LocalChannel& channel = *ended.channel;
  if (subscriber.backlog_) {
    subscriber.backlog_->drop(channel);
    if (subscriber.backlog_->empty()) end_backlog(subscriber);
  }
  if (ended.reads()) {
    // The last reader takes the freed place, and its subscription learns so.
    std::vector<Reader>& readers = channel.readers[ended.options.format];
    const Reader moved = readers.back();
    readers[ended.place] = moved;
    moved.subscriber->subscriptions_[moved.subscription].place = ended.place;
    readers.pop_back();
    --tallies_[subscriber.app_].subscriptions;
    if (readers.empty()) readers.shrink_to_fit();
  }
  if (index + 1 != subscriptions.size()) {
    ended = std::move(subscriptions.back());
    if (ended.reads()) {
      ended.channel->readers[ended.options.format][ended.place].subscription = static_cast<uint32_t>(index);
    }
  }
  subscriptions.pop_back();
  drop_reference(channel);
}

void LocalHub::drop_reference(LocalChannel& channel) {
  if (--channel.references == 0) channels_.erase(channel);
}

void LocalHub::deliver(const Publication& publication) {
  LocalChannel* channel = channels_.find(publication.app(), publication.channel());
  if (channel == nullptr) return;
  if (publication.kind() == Publication::Kind::kKick) {
    const memory::MustSucceed noting;
    for (const auto& readers : channel->readers) {
      for (const Reader& reader : readers) kicks_.emplace_back(reader.subscriber->handle_, publication.reason());
    }
    return;
  }
  const uint64_t before = deliveries_ - released_;
  for (Format format = 0; format < kFormatsMax; ++format) {
    if (!channel->readers[format].empty()) deliver_to(*channel, format, publication);
  }
  LocalTally& tally = tallies_[publication.app()];
  tally.deliveries += deliveries_ - released_ - before;
}

// Who comes and goes, to those who may know.
void LocalHub::deliver_to_seeing(std::vector<Reader>& readers, const Publication& publication) {
  for (const Reader& reader : readers) {
    if (reader.subscriber->subscriptions_[reader.subscription].options.hide_members) continue;
    ++deliveries_;
    deliver_to_one(*reader.subscriber, publication);
  }
}

bool LocalHub::meant(const Reader& reader, const Publication& publication) {
  const SocketId exclude = publication.exclude();
  return (!exclude || reader.subscriber->socket_id_ != exclude) && publication.is_for(*reader.subscriber);
}

void LocalHub::deliver_to(LocalChannel& channel, Format format, const Publication& publication) {
  using enum Publication::Kind;
  std::vector<Reader>& readers = channel.readers[format];
  if (publication.kind() == kMemberAdded || publication.kind() == kMemberRemoved) {
    const auto hidden = [](const Reader& reader) {
      return reader.subscriber->subscriptions_[reader.subscription].options.hide_members;
    };
    if (std::ranges::any_of(readers, hidden)) return deliver_to_seeing(readers, publication);
  }
  const SocketId exclude = publication.exclude();
  const bool for_some = exclude || publication.audience() != nullptr;
  const bool may_wait = publication.kind() == kEvent && (channel.backlogs > 0 || !publication.subject().empty());
  const auto left_out = [&](const Reader& reader) {
    return (for_some && !meant(reader, publication)) || (may_wait && waits(reader, publication));
  };
  deliveries_ += readers.size();
  if (!sink_.shared(format)) {
    for (const Reader& reader : readers) {
      if (left_out(reader)) {
        --deliveries_;
      } else {
        deliver_own(reader, publication);
      }
    }
    return;
  }
  // A client event that nobody else reads needs no frame.
  if (for_some && readers.size() == 1 && !meant(readers.front(), publication)) {
    --deliveries_;
    return;
  }
  net::Frame* frame = nullptr;
  try {
    frame = publication.frame(format, sink_);
  } catch (const std::bad_alloc&) {
    for (const Reader& reader : readers) {
      if (meant(reader, publication)) reader.subscriber->outbox_->starve();
    }
    return;
  }
  uint64_t& bytes = tallies_[publication.app()].delivered_bytes;
  bytes += uint64_t{frame->size()} * readers.size();
  // One atomic operation counts the references of the whole fan-out.
  frame->retain(static_cast<uint32_t>(readers.size()));
  if (!for_some && !may_wait) {
    for (const Reader& reader : readers) reader.subscriber->outbox_->push_retained(frame);
    return;
  }
  for (const Reader& reader : readers) {
    if (left_out(reader)) {
      bytes -= frame->size();
      frame->release();
      --deliveries_;
    } else {
      reader.subscriber->outbox_->push_retained(frame);
    }
  }
}

void LocalHub::deliver_own(const Reader& reader, const Publication& publication) {
  try {
    sink_.deliver_own(*reader.subscriber, publication);
  } catch (const std::bad_alloc&) {
    reader.subscriber->outbox_->starve();
  }
}

void LocalHub::deliver_to_one(Subscriber& subscriber, const Publication& publication) {
  deliver_as(subscriber, subscriber.format_, publication);
}

void LocalHub::deliver_to_reader(const Reader& reader, const Publication& publication) {
  if (waits(reader, publication)) return;
  Subscriber& subscriber = *reader.subscriber;
  deliver_as(subscriber, subscriber.subscriptions_[reader.subscription].options.format, publication);
}

void LocalHub::deliver_as(Subscriber& subscriber, Format format, const Publication& publication) {
  try {
    push(subscriber, format, publication);
  } catch (const std::bad_alloc&) {
    subscriber.outbox_->starve();
  }
}

// Returns the size of the frame, 0 where it is not a shared one.
uint32_t LocalHub::push(Subscriber& subscriber, Format format, const Publication& publication) {
  if (!sink_.shared(format)) {
    sink_.deliver_own(subscriber, publication);
    return 0;
  }
  net::Frame* frame = publication.frame(format, sink_);
  frame->retain();
  subscriber.outbox_->push_retained(frame);
  return frame->size();
}

void LocalHub::deliver_past(Subscriber& subscriber, const Subscription& subscription,
                            std::span<const PublicationPtr> past) {
  try {
    for (const PublicationPtr& publication : past) push(subscriber, subscription.options.format, *publication);
  } catch (const std::bad_alloc&) {
    subscriber.outbox_->starve();
  }
}

void LocalHub::carry_out_kicks() {
  for (const auto& [who, reason] : std::exchange(kicks_, {})) {
    Subscriber* subscriber = resolve(who);
    if (subscriber == nullptr) continue;
    try {
      sink_.on_kick(*subscriber, reason);
    } catch (const std::bad_alloc&) {
      subscriber->outbox_->starve();
    }
  }
}

}  // namespace kilat::hub
