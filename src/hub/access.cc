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
    backend_.configure(index, {app.authorize_url, app.authorize_timeout_ms, app.authorize_cache_s});
  }
}

auth::Verdict Access::decide(AppIndex app, auth::Action action, std::string_view channel,
                             const auth::Identity* who) const {
  const auth::ChannelRules& rules = rules_[app];
  return rules.empty() ? auth::Verdict::kNoRule : rules.decide(action, channel, bare_name(channel), who);
}

Reason reason_of(auth::Verdict verdict) {
  switch (verdict) {
    case auth::Verdict::kRefuse: return Reason::kRuleRefused;
    case auth::Verdict::kNeedsUser: return Reason::kRuleNeedsUser;
    default: return Reason::kNone;
  }
}

}  // namespace kilat::hub
