#include "pusher/folded.h"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "hub/flow_event.h"
#include "pusher/session.h"

namespace kilat::pusher {

FoldedChannels::Channel::Channel(FoldedChannels& owner_in, std::string_view name_in, flow::RuleSetPtr rules)
    : Timer(&FoldedChannels::on_due),
      owner(owner_in),
      name(name_in),
      engine(std::move(rules), &owner_in.session_.shard().flow_data) {
  owner.account(*this);
}

FoldedChannels::Channel::~Channel() {
  owner.session_.outbox().take_back(counted);
}

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
  const flow::Fate fate =
      channel->engine.on_event(hub::flow_event(publication, shard.now_ms, shard.now_unix_s * 1'000), 0, results);
  watch(*channel);
  account(*channel);
  send(results);
  if (fate == flow::Fate::kPass) session_.offer_event(publication);
  return true;
}

void FoldedChannels::send(const std::vector<flow::Emission>& results) {
  for (const flow::Emission& result : results) {
    // The events it was made of may have subjects of their own: those of the app's rules begin with a number.
    const std::string subject = result.subject.empty() ? std::string() : "folded " + result.subject;
    hub::PublicationDraft draft = hub::draft_of(result, session_.app());
    draft.subject = subject;
    session_.offer_event(*hub::Publication::make(draft));
  }
}

void FoldedChannels::watch(Channel& channel) {
  TimerWheel& wheel = session_.shard().wheel;
  const std::optional<uint64_t> due_ms = channel.engine.next_due_ms();
  if (!due_ms) return wheel.cancel(channel);
  if (!channel.armed() || channel.deadline_ms() != *due_ms) wheel.schedule(channel, *due_ms);
}

// What a window needed stays for the next one, so the most it has held counts until it holds nothing.
void FoldedChannels::account(Channel& channel) {
  const size_t held = channel.engine.bytes();
  channel.held_max = held == 0 ? 0 : std::max(channel.held_max, held);
  net::Outbox& outbox = session_.outbox();
  outbox.take_back(channel.counted);
  channel.counted =
      static_cast<uint32_t>(sizeof(Channel) + flow::Engine::fixed_bytes() + channel.name.size() + channel.held_max);
  outbox.set_aside(channel.counted);
  if (outbox.past_hard_limit() && !outbox.overflowed()) outbox.overflow();
}

void FoldedChannels::on_due(Timer& timer) {
  auto& channel = static_cast<Channel&>(timer);
  FoldedChannels& owner = channel.owner;
  const Shard& shard = owner.session_.shard();
  std::vector<flow::Emission> results;
  channel.engine.advance(shard.now_ms, shard.now_unix_s * 1'000, results);
  owner.watch(channel);
  owner.account(channel);
  try {
    owner.send(results);
  } catch (const std::bad_alloc&) {
    owner.session_.outbox().starve();
  }
}

}  // namespace kilat::pusher
