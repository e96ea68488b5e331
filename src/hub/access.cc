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
  Entry entry{.refused = reason_of(verdict), .ask_backend = false, .by_rule = false, .member = {}};
  if (verdict == auth::Verdict::kAsk) entry.ask_backend = true;
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

Entry Access::told(std::string_view channel, const auth::BackendAnswer& answer, const auth::Identity* who) {
  Entry entry{.refused = answer.refused, .ask_backend = false, .by_rule = true, .member = {}};
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

JoinOptions Access::options(AppIndex app, std::string_view channel, const Entry& entry,
                            const auth::Identity* who) const {
  const bool hide =
      kind_of(channel).presence() && reason_of(decide(app, auth::Action::kSeeMembers, channel, who)) != Reason::kNone;
  return {.by_rule = entry.by_rule, .hide_members = hide};
}

std::vector<std::string> Access::forbidden(const Subscriber& subscriber, const auth::Identity* who) const {
  std::vector<std::string> names;
  for (const Subscription& subscription : subscriber.subscriptions()) {
    if (!subscription.options.by_rule) continue;
    const std::string& channel = subscription.channel->name;
    const auth::Verdict verdict = decide(subscriber.app(), auth::Action::kSubscribe, channel, who);
    if (verdict != auth::Verdict::kAllow && verdict != auth::Verdict::kAsk) names.push_back(channel);
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
