// An event on its way through its home: known already? room? flow rules; kept, on disk where that is wanted; told.
#include <algorithm>
#include <bit>
#include <new>
#include <utility>

#include "base/check.h"
#include "base/memory_reserve.h"
#include "hub/durable_log.h"
#include "hub/home_flow.h"
#include "hub/home_hub.h"

namespace kilat::hub {

std::optional<PublishReply> HomeHub::publish(const PublicationPtr& publication, const Publisher& publisher) {
  try {
    if (const Repeats::Entry* before = repeats_.find(*publication, now_ms_)) {
      if (before->tag == 0) return before->reply;
      committing_.at(before->tag).publishers.push_back(publisher);
      return std::nullopt;
    }
  } catch (const std::bad_alloc&) {
    return refuse(*publication, Reason::kApiOverCapacity);
  }
  HomeChannel* channel = channels_.find(publication->app(), publication->channel());
  if (!has_room_for(interest_of(channel, *publication))) return refuse(*publication, Reason::kApiOverCapacity);
  if (publication->kind() != Publication::Kind::kEvent) {
    spread(interest_of(channel, *publication), publication);
    return counts_of(channel);
  }
  std::vector<flow::Emission> results;
  std::optional<PublishReply> reply;
  try {
    repeats_.note(*publication, repeat_until_ms(*publication));
    const bool taken = fold(*publication, results);
    // What a rule held comes before what it lets through.
    emit(publication->app(), results);
    if (!results.empty()) channel = channels_.find(publication->app(), publication->channel());
    if (taken) {
      ++tallies_[publication->app()].accepted[publication->from_client()];
      reply = counts_of(channel);
    } else {
      reply = take(channel, publication, publisher);
    }
  } catch (const std::bad_alloc&) {
    if (channel != nullptr) close_if_unused(*channel);
    reply = refuse(*publication, Reason::kApiOverCapacity);
  }
  const memory::MustSucceed noting;
  if (reply && reply->refused != Reason::kNone) {
    repeats_.forget(*publication);
    return reply;
  }
  if (reply) repeats_.answered(*publication, *reply);
  return reply;
}

PublishReply HomeHub::refuse(const Publication& publication, Reason reason) {
  count_refused(publication);
  return PublishReply{.refused = reason};
}

uint64_t HomeHub::interest_of(const HomeChannel* channel, const Publication& publication) const {
  return (channel != nullptr ? channel->interest : 0) | taps_[publication.app()];
}

bool HomeHub::has_room_for(uint64_t interest) const {
  for (; interest != 0; interest &= interest - 1) {
    if (!courier_.has_room(static_cast<ShardIndex>(std::countr_zero(interest)))) return false;
  }
  return true;
}

uint64_t HomeHub::repeat_until_ms(const Publication& publication) const {
  return now_ms_ + uint64_t{apps_[publication.app()].settings.idempotency_s} * 1000;
}

PublishReply HomeHub::counts_of(const HomeChannel* channel) {
  PublishReply reply;
  if (channel == nullptr) return reply;
  reply.subscriptions = channel->subscribers;
  reply.users = channel->presence ? static_cast<uint32_t>(channel->presence->size()) : 0;
  return reply;
}

// The event is kept as its channel wants it, then told. Nothing: when it is on disk. std::bad_alloc: nothing was done.
std::optional<PublishReply> HomeHub::take(HomeChannel*& channel, const PublicationPtr& publication,
                                          const Publisher& publisher) {
  channel = open_for_history(channel, *publication);
  KeptHistory* kept = channel != nullptr ? history_of(*channel) : nullptr;
  if (kept != nullptr && kept->limits.durable) return commit(*channel, publication, publisher);
  if (!publication->from_client() && kind_of(publication->channel()).cache) {
    channel = &open(publication->app(), publication->channel());
    store(*channel, publication);
  }
  if (kept != nullptr) keep(*channel, publication);
  ++tallies_[publication->app()].accepted[publication->from_client()];
  spread(interest_of(channel, *publication), publication);
  PublishReply reply = counts_of(channel);
  if (kept != nullptr) {
    reply.position = kept->history.position();
  } else if (channel != nullptr) {
    // Its rule has gone, and with it its history.
    close_if_unused(*std::exchange(channel, nullptr));
  }
  return reply;
}

std::optional<PublishReply> HomeHub::commit(HomeChannel& channel, const PublicationPtr& publication,
                                            const Publisher& publisher) {
  KeptHistory& kept = *channel.kept;
  // What was handed over after a record that could not be written is not written either: first all must be answered.
  bool taken = begin_log(channel);
  if (taken) {
    const uint64_t tag = ++last_tag_;
    committing_.emplace(tag, Committing{publication, &channel, {publisher}});
    // The log answers in the order of these calls, so that events are delivered in the order of their orders. The clock
    // makes those of two homes come about as they were published.
    last_order_ = std::max(last_order_ + 1, unix_ms_ * 1'000);
    publication.order_as(last_order_);
    try {
      taken = durable_->append(*publication, kept.promised + 1, unix_ms_, tag);
    } catch (...) {
      committing_.erase(tag);
      throw;
    }
    if (taken) {
      const memory::MustSucceed noting;
      repeats_.pending(*publication, tag);
      ++kept.promised;
      ++kept.in_flight;
      return std::nullopt;
    }
    committing_.erase(tag);
  }
  close_if_unused(channel);
  return refuse(*publication, Reason::kHistoryUnavailable);
}

void HomeHub::on_committed(uint64_t tag, bool committed) {
  const memory::MustSucceed telling;
  auto entry = committing_.extract(tag);
  KILAT_CHECK(!entry.empty());
  const PublicationPtr& publication = entry.mapped().publication;
  HomeChannel& channel = *entry.mapped().channel;
  KeptHistory& kept = *channel.kept;
  --kept.in_flight;
  PublishReply reply;
  if (committed) {
    if (!publication->from_client() && channel.kind.cache) store(channel, publication);
    keep(channel, publication);
    ++tallies_[channel.app].accepted[publication->from_client()];
    delivered_order_ = publication->order();
    spread(interest_of(&channel, *publication), publication);
    reply = counts_of(&channel);
    reply.position = kept.history.position();
    repeats_.answered(*publication, reply);
  } else {
    kept.failed = true;
    repeats_.forget(*publication);
    reply = refuse(*publication, Reason::kHistoryUnavailable);
  }
  if (kept.in_flight == 0) {
    kept.failed = false;
    kept.promised = kept.history.position().offset;
    watch_history(channel);
  }
  for (const Publisher& publisher : entry.mapped().publishers) {
    reply.index = publisher.index;
    if (publisher.request != 0) courier_.send(publisher.from, MsgPublished{publisher.request, reply});
  }
}

void HomeHub::spread(uint64_t interest, const PublicationPtr& publication) {
  for (; interest != 0; interest &= interest - 1) {
    courier_.send(static_cast<ShardIndex>(std::countr_zero(interest)), MsgDeliver{publication});
  }
}

}  // namespace kilat::hub
