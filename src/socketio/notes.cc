// How a socket is written down, so that it can be brought back after a restart of the server. Part of Socket.
#include "socketio/notes.h"

#include <algorithm>
#include <utility>

#include "hub/channel_name.h"
#include "socketio/comeback.h"
#include "socketio/recovery.h"
#include "socketio/registry.h"
#include "socketio/session.h"
#include "socketio/socket.h"

namespace kilat::socketio {

void Socket::enter(const std::string& channel, hub::Member member, const hub::JoinOptions& options,
                   std::unique_ptr<HistoryAsk> history) {
  if (notes_ && find(channel) == nullptr) {
    if (notes_->find(channel) == nullptr) {
      notes_->rooms.push_back(
          {.channel = channel, .member = member, .home = shard_.hub.home_of_channel(app().index, channel)});
    }
    // The position is needed in any case, to know later what was missed.
    if (!history) history = std::make_unique<HistoryAsk>(HistoryAsk{.if_durable = true});
  }
  shard_.hub.join(*this, channel, std::move(member), options, std::move(history));
}

void Socket::enter_user_channel() {
  shard_.hub.join(*this, std::string(hub::kUserChannelPrefix) + who_->user_id);
}

uint64_t Socket::leave(std::string_view channel) {
  if (!shard_.hub.leave(*this, channel) || !notes_) return 0;
  notes_->forget(channel);
  return save();
}

bool Socket::collects() const {
  return comeback_ != nullptr && comeback_->collects();
}

// Where its reader is in a room, as the home has said.
void Socket::note_joined(const hub::JoinReply& reply) {
  const hub::Subscription* subscription = find(reply.channel);
  if (subscription == nullptr) return notes_->forget(reply.channel);
  RememberedRoom* room = notes_->find(reply.channel);
  if (room == nullptr || !reply.history || !reply.history->durable) return;
  room->known = reply.history->position;
  room->settled = reply.history->missed.empty() ? 0 : shard_.last_number() + reply.history->missed.size();
}

uint64_t Socket::save() {
  if (!notes_ || shard_.registry == nullptr || collects() || retired_) return 0;
  if (std::ranges::none_of(notes_->rooms, [](const RememberedRoom& room) { return room.known.epoch != 0; })) {
    erase_record();
    return 0;
  }
  if (!notes_->written && !shard_.take_record(false)) return 0;
  notes_->written = true;
  Remembered record{.run = shard_.run(),
                    .nsp = nsp_.name,
                    .app = app().settings.id,
                    .user_id = user_id(),
                    .user_info = who_ && !by_token_ ? who_->info : std::string(),
                    .by_token = by_token_,
                    .rooms = {}};
  for (const RememberedRoom& room : notes_->rooms) {
    const hub::Subscription* subscription = find(room.channel);
    if (subscription == nullptr || !subscription->reads()) continue;
    RememberedRoom& noted = record.rooms.emplace_back(room);
    noted.by_rule = subscription->options.by_rule;
    noted.by_signature = subscription->options.by_signature;
    noted.positions = subscription->options.positions;
  }
  return shard_.registry->put(notes_->key, to_record(record));
}

void Socket::erase_record() {
  if (!notes_ || !notes_->written) return;
  notes_->written = false;
  shard_.give_record_back();
  if (shard_.registry != nullptr) shard_.registry->erase(notes_->key);
}

void Socket::answer_when_saved(std::optional<uint64_t> ack, std::string json, uint64_t ticket) {
  if (!ack || ticket == 0 || notes_->answers.size() >= Notes::kAnswersMax) return answer(ack, json);
  notes_->answers.push_back({ticket, *ack, std::move(json)});
  shard_.await_written(ticket, handle());
}

void Socket::on_written(uint64_t ticket) {
  if (!notes_ || notes_->answers.empty()) return;
  auto& answers = notes_->answers;
  const auto end = std::ranges::upper_bound(answers, ticket, {}, &Notes::Answer::ticket);
  for (auto at = answers.begin(); at != end; ++at) answer(at->ack, at->json);
  answers.erase(answers.begin(), end);
  if (!answers.empty()) return;
  notes_->frame_bytes = 0;
  for (net::FramePtr& frame : std::exchange(notes_->frames, {})) {
    if (session_ != nullptr) outbox().push_event(std::move(frame));
  }
}

// A client hears of a room's events after it has heard that it is in the room.
void Socket::push_event(net::FramePtr frame) {
  if (!notes_ || notes_->answers.empty()) return outbox().push_event(std::move(frame));
  notes_->frame_bytes += frame->size();
  notes_->frames.push_back(std::move(frame));
  if (notes_->frame_bytes > Notes::kHeldBytesMax) on_written(UINT64_MAX);
}

// --- coming back

void Socket::begin_comeback(Comeback& comeback, const Remembered& record) {
  comeback_ = &comeback;
  notes_->rooms = record.rooms;
  notes_->written = true;
  shard_.take_record(true);
  for (RememberedRoom& room : notes_->rooms) {
    room.home = shard_.hub.home_of_channel(app().index, room.channel);
    room.settled = 0;
  }
  detach();
}

void Socket::enter_again(const RememberedRoom& room, std::unique_ptr<HistoryAsk> history) {
  hub::Entry entry{.by_signature = room.by_signature, .member = room.member};
  if (room.by_rule && !room.by_signature) entry = shard_.access.enter(nsp_.app, room.channel, who_.get());
  hub::JoinOptions options = shard_.access.options(nsp_.app, room.channel, entry, who_.get());
  options.positions = room.positions;
  enter(room.channel, std::move(entry.member), options, std::move(history));
}

void Socket::note_known(std::string_view channel, Position known) {
  if (RememberedRoom* room = notes_->find(channel)) room->known = known;
}

void Socket::add_missed(const hub::Publication& publication, std::span<const uint64_t> orders) {
  uint64_t number = 0;
  net::FramePtr frame = shard_.past_frame(publication, nsp_, position_wanted(publication), orders, &number);
  replay_->add(number, std::move(frame));
}

}  // namespace kilat::socketio
