// Who the client of a socket is, and what follows from it: sign-in, rooms by rule, the end of a token.
#include <algorithm>
#include <utility>

#include "auth/signed_text.h"
#include "base/json_text.h"
#include "socketio/session.h"
#include "socketio/socket.h"

namespace kilat::socketio {

Socket* Socket::resolve(Shard& shard, hub::Handle handle) {
  return static_cast<Socket*>(shard.hub.local().resolve(handle));
}

void Socket::become(auth::IdentityPtr who, bool by_token) {
  who_ = std::move(who);
  by_token_ = by_token;
  clock_ = auth::TokenClock(*who_, app().settings.jwt);
  review_rights();
  save();
}

// --- sign-in

void Socket::sign_in(std::string_view argument, std::optional<uint64_t> ack) {
  const std::optional<Request> request = shard_.parser.parse_request(argument);
  if (!request || (!request->user_data && !request->token)) return refuse(ack, Reason::kSioArgumentsInvalid);
  if (!app().settings.user_authentication) return refuse(ack, Reason::kSigninDisabled);
  if (request->token) return sign_in_with(*request->token, ack);
  if (!signature_fits(request->auth, auth::user_text(id(), *request->user_data))) {
    return refuse(ack, Reason::kSigninInvalid);
  }
  std::optional<MemberData> data = shard_.parser.parse_member(*request->user_data, MemberKind::kSignin);
  if (!data) return refuse(ack, Reason::kSigninInvalid);
  // Made by this server from a token: that says more of the user than the signature does, and when it ends.
  if (!data->token.empty() && shard_.access.authenticator().enabled(nsp_.app)) return sign_in_with(data->token, ack);
  auto who = std::make_shared<auth::Identity>();
  who->user_id = std::move(data->user_id);
  who->info = std::move(data->user_info);
  sign_in_as(std::move(who), false, ack);
}

void Socket::sign_in_with(std::string_view token, std::optional<uint64_t> ack) {
  auth::Authenticator& authenticator = shard_.access.authenticator();
  if (!authenticator.enabled(nsp_.app)) return refuse(ack, Reason::kTokensNotTaken);
  // One at a time: a client can't fill the list of those who wait.
  if (std::exchange(identifying_, true)) return refuse(ack, Reason::kTokenKeysUnavailable);
  authenticator.identify(nsp_.app, token,
                         [&shard = shard_, self = handle(), ack](const auth::Authenticator::Outcome& who) {
                           if (Socket* socket = resolve(shard, self)) socket->on_identified(who, ack);
                         });
}

void Socket::on_identified(const auth::Authenticator::Outcome& who, std::optional<uint64_t> ack) {
  identifying_ = false;
  if (!who) return refuse(ack, who.error());
  sign_in_as(*who, true, ack);
}

void Socket::sign_in_as(auth::IdentityPtr who, bool by_token, std::optional<uint64_t> ack) {
  if (!hub::valid_user_id(app().settings, who->user_id)) return refuse(ack, Reason::kSigninInvalid);
  if (who_ && who_->user_id != who->user_id) return refuse(ack, Reason::kSigninOtherUser);
  become(std::move(who), by_token);
  if (session_ != nullptr) session_->token_changed();
  // Answered when the home knows this socket: what a backend does to the user after it, reaches it.
  const std::string channel = std::string(hub::kUserChannelPrefix) + who_->user_id;
  joining_.push_back({channel, ack});
  shard_.hub.join(*this, channel);
}

// The new token may grant less than the one before.
void Socket::review_rights() {
  for (const std::string& channel : shard_.access.review(*this, who_.get())) {
    leave(channel);
    std::string json = R"(["kilat:unsubscribed",{"channel":)";
    append_json_string(json, room_of(channel, nsp_.scope));
    json += R"(,"error":"rule_refused"}])";
    send(packet_message(Packet::Type::kEvent, nsp_.name, {}, json));
  }
}

bool Socket::still_allowed(const auth::Identity* who) const {
  // A user who was signed in by a signature comes back without one, and has nothing that could have expired.
  if (who == nullptr && by_token_) return false;
  if (who == nullptr) who = who_.get();
  if (who_ && who_->user_id != who->user_id) return false;
  return std::ranges::all_of(subscriptions(), [&](const hub::Subscription& subscription) {
    // What the backend has said may have changed: it is asked when the client joins again.
    return !subscription.options.by_rule ||
           shard_.access.decide(nsp_.app, auth::Action::kSubscribe, subscription.channel->name, who) ==
               auth::Verdict::kAllow;
  });
}

bool Socket::check_token() {
  switch (clock_.check(shard_.now_unix_s)) {
    case auth::TokenClock::Due::kNothing: return false;
    case auth::TokenClock::Due::kEnd: return true;
    case auth::TokenClock::Due::kWarning: break;
  }
  std::string json = R"(["kilat:token_expiring",{"expires_in":)";
  append_json_number(json, clock_.left_s(shard_.now_unix_s));
  json += "}]";
  send(packet_message(Packet::Type::kEvent, nsp_.name, {}, json));
  return false;
}

// --- rooms

std::vector<Socket::Joining> Socket::take_waiting(std::vector<Joining>& waiting, std::string_view channel) {
  std::vector<Joining> taken;
  std::erase_if(waiting, [&](Joining& joining) {
    if (joining.channel != channel) return false;
    taken.push_back(std::move(joining));
    return true;
  });
  return taken;
}

void Socket::ask_backend(Request& request, const std::string& channel, std::optional<uint64_t> ack) {
  const bool asked = std::ranges::find(asking_, channel, &Joining::channel) != asking_.end();
  asking_.push_back({channel, ack, request.history});
  if (asked) return;
  auth::BackendQuestion question{
      .channel = channel, .socket_id = id(), .user_id = user_id(), .headers = std::move(request.headers)};
  if (session_ != nullptr && session_->client().credentials && question.headers.empty()) {
    question.headers = session_->client().credentials->headers;
  }
  shard_.access.backend().ask(nsp_.app, question,
                              [&shard = shard_, self = handle(), channel](const auth::BackendAnswer& answer) {
                                if (Socket* socket = resolve(shard, self)) socket->on_backend_answer(channel, answer);
                              });
}

void Socket::on_backend_answer(const std::string& channel, const auth::BackendAnswer& answer) {
  // A client that has unsubscribed meanwhile is not asking any more.
  for (const Joining& asked : take_waiting(asking_, channel)) {
    join(channel, hub::Access::told(channel, answer, who_.get()), asked.ack, asked.history);
  }
}

}  // namespace kilat::socketio
