// Access: what a shard knows of who may do what: for each app its secrets and its rules, and where tokens and the
// backend are asked. To the sessions of both protocols and to the HTTP API it is the one place for such questions.
// Owner: one shard's thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "auth/app_key.h"
#include "auth/authenticator.h"
#include "auth/backend_desk.h"
#include "auth/channel_rules.h"
#include "hub/app_table.h"
#include "hub/command.h"
#include "hub/subscriber.h"

namespace kilat::hub {

/// Whether somebody may be in a channel, and how.
struct Entry {
  Reason refused = Reason::kNone;
  bool ask_backend = false;   ///< nothing is decided: the backend is to be asked, then Access::told() decides
  bool by_rule = false;       ///< see JoinOptions
  bool by_signature = false;  ///< likewise
  Member member = {};         ///< presence: as whom
};

class Access {
 public:
  Access(const AppTable& apps, auth::Authenticator& authenticator, auth::BackendDesk& backend);

  /// The table of apps, or a setting of an app, has changed.
  void apps_changed();

  auth::AppKey& key(AppIndex app) { return keys_[app]; }
  /// What may `who` (null: nobody is signed in) do in the channel?
  auth::Verdict decide(AppIndex app, auth::Action action, std::string_view channel, const auth::Identity* who) const;
  /// May `who` be in the channel without a signature? A rule decides; without one only public channels are open.
  Entry enter(AppIndex app, std::string_view channel, const auth::Identity* who) const;
  /// The same with a good signature that does not name the channel, but the room that it is in a namespace of
  /// Socket.IO.
  Entry enter_room(AppIndex app, std::string_view channel, std::string_view room, const auth::Identity* who) const;
  /// The same as the backend has said.
  static Entry told(std::string_view channel, const auth::BackendAnswer& answer, const auth::Identity* who);
  /// How `who` is in a channel that `entry` lets them into.
  JoinOptions options(AppIndex app, std::string_view channel, const Entry& entry, const auth::Identity* who) const;
  /// Looks again at the channels of a subscriber, whose client is `who` from now on: the channels that a rule has let
  /// it into and would not now, which it has to leave. In those that a signature has let it into and a rule would as
  /// well, the rule decides from now on; and where `who` may not see the members, it hears of them no more.
  std::vector<std::string> review(Subscriber& subscriber, const auth::Identity* who) const;
  auth::Authenticator& authenticator() { return authenticator_; }
  auth::BackendDesk& backend() { return backend_; }

 private:
  bool may_see_members(AppIndex app, std::string_view channel, const auth::Identity* who) const;
  bool rule_admits(AppIndex app, std::string_view channel, std::string_view member_id, const auth::Identity* who) const;

  const AppTable& apps_;
  auth::Authenticator& authenticator_;
  auth::BackendDesk& backend_;
  std::vector<auth::AppKey> keys_;
  std::vector<auth::ChannelRules> rules_;
};

/// The reason of a refusal; kNone for a verdict that is none.
Reason reason_of(auth::Verdict verdict);

/// kNone, or why an app does not take a member like this.
Reason member_refusal(const AppSettings& settings, const Member& member);

/// Whether an app's users may have this id: it stands in the name of their user channel.
bool valid_user_id(const AppSettings& settings, std::string_view id);

}  // namespace kilat::hub
