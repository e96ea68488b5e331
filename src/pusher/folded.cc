#include "pusher/folded.h"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "hub/channel_name.h"
#include "pusher/session.h"

namespace kilat::pusher {

FoldedChannels::Channel::Channel(FoldedChannels& owner_in, std::string_view name_in, flow::RuleSetPtr rules)
    : Timer(&FoldedChannels::on_due), owner(owner_in), name(name_in), engine(std::move(rules)) {}

bool FoldedChannels::add(std::string_view channel, const std::string& rule) {
  const std::array texts{rule};
  auto rules = std::make_shared<const flow::RuleSet>(texts);
  if (rules->empty() || channels_.size() >= kMax) return false;
  channels_.push_back(std::make_unique<Channel>(*this, channel, std::move(rules)));
  return true;
}

void FoldedChannels::remove(std::string_view channel) {
  std::erase_if(channels_, [&](const auto& folded) { return folded->name == channel; });
}

FoldedChannels::Channel* FoldedChannels::find(std::string_view channel) {
  const auto found = std::ranges::find_if(channels_, [&](const auto& folded) { return folded->name == channel; });
  return found == channels_.end() ? nullptr : found->get();
}

bool FoldedChannels::take(const hub::Publication& publication) {
  if (publication.kind() != hub::Publication::Kind::kEvent) return false;
  Channel* channel = find(publication.channel());
  if (channel == nullptr) return false;
  const Shard& shard = session_.shard();
  std::vector<flow::Emission> results;
  const flow::Fate fate = channel->engine.on_event({.channel = publication.channel(),
                                                    .bare = hub::bare_name(publication.channel()),
                                                    .event = publication.event(),
                                                    .data = publication.data(),
                                                    .now_ms = shard.now_ms,
                                                    .unix_ms = shard.now_unix_s * 1'000},
                                                   0, results);
  watch(*channel);
  send(*channel, results);
  if (fate == flow::Fate::kPass) session_.offer_event(publication);
  return true;
}

void FoldedChannels::send(const Channel& channel, const std::vector<flow::Emission>& results) {
  for (const flow::Emission& result : results) {
    // The events it was made of may have subjects of their own: those of the app's rules begin with a number.
    const std::string subject = result.subject.empty() ? std::string() : "folded " + result.subject;
    session_.offer_event(*hub::Publication::make({.app = session_.app(),
                                                  .channel = channel.name,
                                                  .event = result.event,
                                                  .data = result.data,
                                                  .subject = subject}));
  }
}

void FoldedChannels::watch(Channel& channel) {
  TimerWheel& wheel = session_.shard().wheel;
  const std::optional<uint64_t> due_ms = channel.engine.next_due_ms();
  if (!due_ms) return wheel.cancel(channel);
  if (!channel.armed() || channel.deadline_ms() != *due_ms) wheel.schedule(channel, *due_ms);
}

void FoldedChannels::on_due(Timer& timer) {
  auto& channel = static_cast<Channel&>(timer);
  FoldedChannels& owner = channel.owner;
  const Shard& shard = owner.session_.shard();
  std::vector<flow::Emission> results;
  channel.engine.advance(shard.now_ms, shard.now_unix_s * 1'000, results);
  owner.watch(channel);
  try {
    owner.send(channel, results);
  } catch (const std::bad_alloc&) {
    owner.session_.outbox().starve();
  }
}

}  // namespace kilat::pusher
