// Access: what a shard knows of who may do what: for each app its secrets and its rules, and where tokens and the
// backend are asked. To the sessions of both protocols and to the HTTP API it is the one place for such questions.
// Owner: one shard's thread.
#pragma once

#include <string_view>
#include <vector>

#include "auth/app_key.h"
#include "auth/authenticator.h"
#include "auth/backend_desk.h"
#include "auth/channel_rules.h"
#include "hub/app_table.h"

namespace kilat::hub {

class Access {
 public:
  Access(const AppTable& apps, auth::Authenticator& authenticator, auth::BackendDesk& backend);

  /// The table of apps, or a setting of an app, has changed.
  void apps_changed();

  auth::AppKey& key(AppIndex app) { return keys_[app]; }
  /// What may `who` (null: nobody is signed in) do in the channel?
  auth::Verdict decide(AppIndex app, auth::Action action, std::string_view channel, const auth::Identity* who) const;
  /// Whether the app has rules at all.
  bool has_rules(AppIndex app) const { return !rules_[app].empty(); }
  auth::Authenticator& authenticator() { return authenticator_; }
  auth::BackendDesk& backend() { return backend_; }

 private:
  const AppTable& apps_;
  auth::Authenticator& authenticator_;
  auth::BackendDesk& backend_;
  std::vector<auth::AppKey> keys_;
  std::vector<auth::ChannelRules> rules_;
};

/// The reason of a refusal; kNone for a verdict that is none.
Reason reason_of(auth::Verdict verdict);

}  // namespace kilat::hub
