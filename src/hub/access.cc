#include "hub/access.h"

#include "hub/channel_name.h"

namespace kilat::hub {

Access::Access(const AppTable& apps, auth::Authenticator& authenticator, auth::BackendDesk& backend)
    : apps_(apps), authenticator_(authenticator), backend_(backend) {
  apps_changed();
}

void Access::apps_changed() {
  keys_.clear();
  rules_.clear();
  for (size_t i = 0; i < apps_.size(); ++i) {
    const auto index = static_cast<AppIndex>(i);
    const AppSettings& app = apps_[index].settings;
    keys_.emplace_back(app.secret, app.previous_secret, app.previous_until_s);
    rules_.emplace_back(app.rules);
    authenticator_.configure(index, app.jwt);
    backend_.configure(index, app.authorize);
  }
}

auth::Verdict Access::decide(AppIndex app, auth::Action action, std::string_view channel,
                             const auth::Identity* who) const {
  const auth::ChannelRules& rules = rules_[app];
  return rules.empty() ? auth::Verdict::kNoRule : rules.decide(action, channel, bare_name(channel), who);
}

Entry Access::enter(AppIndex app, std::string_view channel, const auth::Identity* who) const {
  const ChannelKind kind = kind_of(channel);
  const auth::Verdict verdict = decide(app, auth::Action::kSubscribe, channel, who);
  Entry entry{.refused = reason_of(verdict), .ask_backend = verdict == auth::Verdict::kAsk};
  if (verdict == auth::Verdict::kNoRule && kind.needs_signature()) entry.refused = Reason::kChannelAuthInvalid;
  if (verdict != auth::Verdict::kAllow) return entry;
  entry.by_rule = true;
  if (!kind.presence()) return entry;
  // Who is present is what the sign-in has said, never what a message claims.
  if (who == nullptr) {
    entry.refused = Reason::kRuleNeedsUser;
  } else {
    entry.member = {who->user_id, who->info};
  }
  return entry;
}

// The name of a room says nothing of the namespace, and may have been signed for another one: so a rule on the channel
// decides first. Where none does, the signature has to be the application's, and not one that the server itself makes
// by the rules on a channel that is called like the room (api::ChannelAuth).
Entry Access::enter_room(AppIndex app, std::string_view channel, std::string_view room,
                         const auth::Identity* who) const {
  const auth::Verdict verdict = decide(app, auth::Action::kSubscribe, channel, who);
  Entry entry{.refused = reason_of(verdict),
              .ask_backend = verdict == auth::Verdict::kAsk,
              .by_rule = verdict == auth::Verdict::kAllow,
              .by_signature = true};
  const bool signs = apps_[app].settings.jwt.enabled() &&
                     decide(app, auth::Action::kSubscribe, room, nullptr) != auth::Verdict::kNoRule;
  if (verdict == auth::Verdict::kNoRule && signs) entry.refused = Reason::kChannelAuthInvalid;
  return entry;
}

Entry Access::told(std::string_view channel, const auth::BackendAnswer& answer, const auth::Identity* who) {
  Entry entry{.refused = answer.refused, .by_rule = true};
  if (answer.refused != Reason::kNone || !kind_of(channel).presence()) return entry;
  if (!answer.user_id.empty()) {
    entry.member = {answer.user_id, answer.user_info};
  } else if (who != nullptr) {
    entry.member = {who->user_id, who->info};
  } else {
    entry.refused = Reason::kPresenceDataInvalid;
  }
  return entry;
}

bool Access::may_see_members(AppIndex app, std::string_view channel, const auth::Identity* who) const {
  return reason_of(decide(app, auth::Action::kSeeMembers, channel, who)) == Reason::kNone;
}

// Whether a rule lets `who` into the channel as the member they are in it.
bool Access::rule_admits(AppIndex app, std::string_view channel, std::string_view member_id,
                         const auth::Identity* who) const {
  return who != nullptr && (!kind_of(channel).presence() || member_id == who->user_id) &&
         decide(app, auth::Action::kSubscribe, channel, who) == auth::Verdict::kAllow;
}

JoinOptions Access::options(AppIndex app, std::string_view channel, const Entry& entry,
                            const auth::Identity* who) const {
  return {.by_rule = entry.by_rule || (entry.by_signature && rule_admits(app, channel, entry.member.user_id, who)),
          .by_signature = entry.by_signature,
          .hide_members = kind_of(channel).presence() && !may_see_members(app, channel, who)};
}

std::vector<std::string> Access::review(Subscriber& subscriber, const auth::Identity* who) const {
  std::vector<std::string> names;
  const AppIndex app = subscriber.app();
  if (rules_[app].empty()) return names;
  for (size_t i = 0; i < subscriber.subscription_count(); ++i) {
    const Subscription& subscription = subscriber.subscriptions()[i];
    const JoinOptions options = subscription.options;
    const std::string& channel = subscription.channel->name;
    const std::string_view member_id = subscription.user ? std::string_view(*subscription.user) : std::string_view();
    const auth::Verdict verdict = decide(app, auth::Action::kSubscribe, channel, who);
    if (options.by_rule && verdict != auth::Verdict::kAllow && verdict != auth::Verdict::kAsk) {
      names.push_back(channel);
      continue;
    }
    subscriber.set_rights(
        i, options.by_rule || (options.by_signature && rule_admits(app, channel, member_id, who)),
        options.hide_members || (subscription.channel->kind.presence() && !may_see_members(app, channel, who)));
  }
  return names;
}

Reason reason_of(auth::Verdict verdict) {
  switch (verdict) {
    case auth::Verdict::kRefuse: return Reason::kRuleRefused;
    case auth::Verdict::kNeedsUser: return Reason::kRuleNeedsUser;
    default: return Reason::kNone;
  }
}

Reason member_refusal(const AppSettings& settings, const Member& member) {
  if (member.user_id.size() > settings.user_id_max) return Reason::kPresenceDataInvalid;
  return member.info.size() > settings.presence_member_bytes_max ? Reason::kPresenceMemberTooBig : Reason::kNone;
}

bool valid_user_id(const AppSettings& settings, std::string_view id) {
  return id.size() <= settings.user_id_max && valid_channel_name(id, false);
}

}  // namespace kilat::hub
