#include "hub/backlog.h"

#include <iterator>
#include <utility>

#include "hub/subscriber.h"

namespace kilat::hub {

Backlog::~Backlog() {
  for (const auto& [channel, account] : channels_) --channel->backlogs;
  discount(bytes_);
}

void Backlog::count(uint32_t bytes) {
  bytes_ += bytes;
  outbox_->set_aside(bytes);
}

void Backlog::discount(uint32_t bytes) {
  bytes_ -= bytes;
  outbox_->take_back(bytes);
}

void Backlog::move_to(net::Outbox& outbox) {
  outbox_->take_back(bytes_);
  outbox_ = &outbox;
  outbox_->set_aside(bytes_);
}

bool Backlog::put(Held&& held) {
  if (held.gives_way && replace(held)) return true;
  add(std::move(held));
  return false;
}

// Needs no memory.
bool Backlog::replace(Held& held) {
  auto entry = newest_.extract(Subject{held.channel, held.publication->subject()});
  if (entry.empty()) return false;
  Held& waiting = *entry.mapped();
  discount(cost(*waiting.publication));
  count(cost(*held.publication));
  // The table looks into the event that waits, and that is another one now.
  entry.key().text = held.publication->subject();
  waiting.publication = std::move(held.publication);
  order_.splice(order_.end(), order_, entry.mapped());
  newest_.insert(std::move(entry));
  ++channels_.find(held.channel)->second.missed;
  return true;
}

void Backlog::add(Held&& held) {
  Order made;
  made.push_back(std::move(held));
  const Held& added = made.front();
  const auto [account, first] = channels_.try_emplace(added.channel);
  try {
    if (added.gives_way) newest_.emplace(Subject{added.channel, added.publication->subject()}, made.begin());
  } catch (...) {
    if (first) channels_.erase(account);
    throw;
  }
  if (first) ++added.channel->backlogs;
  ++account->second.waiting;
  count(cost(*added.publication));
  order_.splice(order_.end(), made);
}

void Backlog::remove(Order::iterator held) {
  const Publication& publication = *held->publication;
  if (held->gives_way) newest_.erase(Subject{held->channel, publication.subject()});
  discount(cost(publication));
  const auto account = channels_.find(held->channel);
  if (--account->second.waiting == 0) {
    --held->channel->backlogs;
    channels_.erase(account);
  }
  order_.erase(held);
}

Backlog::Held Backlog::take_front() {
  Held held = order_.front();
  remove(order_.begin());
  return held;
}

void Backlog::drop(LocalChannel& channel) {
  if (!has(channel)) return;
  for (auto held = order_.begin(); held != order_.end();) {
    const auto next = std::next(held);
    if (held->channel == &channel) remove(held);
    held = next;
  }
}

}  // namespace kilat::hub
