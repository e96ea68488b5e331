#include "hub/local_hub.h"

#include <utility>

#include "base/check.h"

namespace kilat::hub {

LocalHub::~LocalHub() = default;

void LocalHub::add(Subscriber& subscriber) {
  uint32_t slot = 0;
  if (free_slots_.empty()) {
    slot = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  slots_[slot].subscriber = &subscriber;
  subscriber.handle_ = {slot, slots_[slot].generation};
}

void LocalHub::remove(Subscriber& subscriber) {
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
  auto channel = std::make_unique<LocalChannel>();
  channel->app = app;
  channel->kind = kind_of(name);
  channel->home = home;
  channel->name = name;
  return channels_.insert(std::move(channel));
}

Subscription& LocalHub::begin(Subscriber& subscriber, LocalChannel& channel, uint32_t token) {
  ++channel.references;
  return subscriber.subscriptions_.emplace_back(Subscription{&channel, Subscription::kPending, token, nullptr});
}

void LocalHub::complete(Subscriber& subscriber, Subscription& subscription) {
  KILAT_CHECK(subscription.place == Subscription::kPending);
  std::vector<Reader>& readers = subscription.channel->readers[subscriber.format_];
  subscription.place = static_cast<uint32_t>(readers.size());
  const auto index = static_cast<uint32_t>(&subscription - subscriber.subscriptions_.data());
  readers.push_back({&subscriber, index});
}

void LocalHub::end(Subscriber& subscriber, size_t index) {
  std::vector<Subscription>& subscriptions = subscriber.subscriptions_;
  Subscription& ended = subscriptions[index];
  LocalChannel& channel = *ended.channel;
  if (ended.place != Subscription::kPending) {
    // The last reader takes the freed place, and its subscription learns so.
    std::vector<Reader>& readers = channel.readers[subscriber.format_];
    const Reader moved = readers.back();
    readers[ended.place] = moved;
    moved.subscriber->subscriptions_[moved.subscription].place = ended.place;
    readers.pop_back();
    if (readers.empty()) readers.shrink_to_fit();
  }
  if (index + 1 != subscriptions.size()) {
    ended = std::move(subscriptions.back());
    if (ended.place != Subscription::kPending) {
      ended.channel->readers[subscriber.format_][ended.place].subscription = static_cast<uint32_t>(index);
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
    for (const auto& readers : channel->readers) {
      for (const Reader& reader : readers) kicks_.emplace_back(reader.subscriber->handle_, publication.reason());
    }
    return;
  }
  for (Format format = 0; format < kFormatsMax; ++format) {
    if (!channel->readers[format].empty()) deliver_to(channel->readers[format], format, publication);
  }
}

void LocalHub::deliver_to(std::vector<Reader>& readers, Format format, const Publication& publication) {
  const SocketId exclude = publication.exclude();
  deliveries_ += readers.size();
  if (!sink_.shared(format)) {
    for (const Reader& reader : readers) {
      if (exclude && reader.subscriber->socket_id_ == exclude) {
        --deliveries_;
      } else {
        sink_.deliver_own(*reader.subscriber, publication);
      }
    }
    return;
  }
  net::Frame* frame = publication.frame(format, sink_);
  // One atomic operation counts the references of the whole fan-out.
  frame->retain(static_cast<uint32_t>(readers.size()));
  if (!exclude) {
    for (const Reader& reader : readers) reader.subscriber->outbox_.push_retained(frame);
    return;
  }
  for (const Reader& reader : readers) {
    if (reader.subscriber->socket_id_ == exclude) {
      frame->release();
      --deliveries_;
    } else {
      reader.subscriber->outbox_.push_retained(frame);
    }
  }
}

void LocalHub::carry_out_kicks() {
  for (const auto& [who, reason] : std::exchange(kicks_, {})) {
    if (Subscriber* subscriber = resolve(who)) sink_.on_kick(*subscriber, reason);
  }
}

}  // namespace kilat::hub
