#include "cli/check_access.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "auth/channel_rules.h"
#include "auth/key_set.h"
#include "auth/token.h"
#include "config/token_key_files.h"
#include "hub/access.h"
#include "hub/channel_name.h"

namespace kilat::cli {
namespace {

using auth::Action;
using auth::Verdict;

Outcome<const hub::AppSettings*> find_app(const config::Loaded& loaded, const std::string& id) {
  const auto& apps = loaded.settings.apps;
  if (id.empty() && apps.size() == 1) return &apps.front();
  const auto found = std::ranges::find(apps, id, &hub::AppSettings::id);
  if (found != apps.end()) return &*found;
  Failure failure{.what = "cannot tell which app is meant", .where = loaded.path, .why = {}, .remedies = {}};
  if (!id.empty()) failure = {.what = "there is no app " + id, .where = loaded.path, .why = {}, .remedies = {}};
  for (const hub::AppSettings& app : apps) failure.remedies.push_back("--app " + app.id);
  return std::unexpected(std::move(failure));
}

Outcome<auth::IdentityPtr> identify(const hub::AppSettings& app, const AccessQuestion& question) {
  if (question.who.empty() && question.token.empty()) return nullptr;
  auth::KeySet keys;
  bool urls = false;
  // Keys that are no use are errors of the configuration, and were said before.
  bool usable = app.jwt.secret.empty() || keys.add_secret(app.jwt.secret).has_value();
  for (const std::string& entry : app.jwt.keys) {
    if (auth::is_key_url(entry)) {
      urls = true;
    } else if (const auto text = config::read_key_file(entry)) {
      usable = keys.add_file(*text).has_value() && usable;
    }
  }
  const auto who = question.token.empty()
                       ? auth::read_claims(question.who, app.jwt)
                       : auth::check_token(question.token, app.jwt, keys, static_cast<uint64_t>(std::time(nullptr)));
  if (who && hub::valid_user_id(app, (*who)->user_id)) return *who;
  if (who) {
    return std::unexpected(Failure{.what = "no user can sign in with the id " + fit_for_terminal((*who)->user_id),
                                   .where = "app " + app.id,
                                   .why = "it is longer than app.user_id_max, or no channel could have it in its name",
                                   .remedies = {}});
  }
  Failure failure{.what = question.token.empty() ? "cannot read the claims of --who" : "the token is refused",
                  .where = "app " + app.id,
                  .why = who.error().detail,
                  .remedies = {}};
  if (!usable) failure.remedies.emplace_back("some of the keys can't be used: kilat check says which");
  if (who.error().reason == Reason::kTokenKeyUnknown && urls) {
    failure.remedies.emplace_back("keys behind URLs are not fetched here; put the JWKS into a file to try it");
  }
  return std::unexpected(std::move(failure));
}

std::string describe(const auth::Identity* who) {
  if (who == nullptr) return "nobody signed in";
  std::string text = "user " + who->user_id;
  for (size_t i = 0; i < who->roles.size(); ++i) text += (i == 0 ? ", roles " : " ") + who->roles[i];
  return text;
}

std::string publish_without_rule(const hub::AppSettings& app, hub::ChannelKind kind) {
  if (!app.client_events) return "no rule: refused, app.client_events is off";
  if (kind.encrypted() && !app.client_events_on_encrypted) {
    return "no rule: refused, app.client_events_on_encrypted is off";
  }
  if (!kind.needs_signature() && !app.client_events_on_public) {
    return "no rule: refused, app.client_events_on_public is off";
  }
  return "no rule: allowed by app.client_events to those who read it";
}

std::string without_rule(Action action, const hub::AppSettings& app, hub::ChannelKind kind) {
  switch (action) {
    case Action::kSubscribe:
      return kind.needs_signature() ? "no rule: only with a signature of the application"
                                    : "no rule: open to everybody";
    case Action::kPublish: return publish_without_rule(app, kind);
    case Action::kSeeMembers: return "no rule: all members are seen";
  }
  return {};
}

// What the server asks for beside the rules; empty: nothing.
std::string beside_rule(Verdict verdict, const hub::AppSettings& app, hub::ChannelKind kind,
                        const auth::Identity* who) {
  if (verdict == Verdict::kAsk && app.authorize.url.empty()) return "refused: there is no app.authorize_url to ask";
  if (verdict == Verdict::kAllow && kind.presence() && who == nullptr) {
    return "refused: a member of a presence channel is signed in";
  }
  return {};
}

// No rule speaks of these.
AccessAnswer explain_user_channel(const std::string& channel, const auth::Identity* who) {
  const std::string_view user = hub::user_of(channel);
  AccessAnswer answer;
  answer.may_subscribe = who != nullptr && who->user_id == user;
  answer.text = fit_for_terminal(channel + ", " + describe(who)) + "\nsubscribe\n  user channel: for user " +
                fit_for_terminal(std::string(user)) + " only, when signed in\n  " +
                (answer.may_subscribe ? "allowed" : "refused") +
                "\npublish\n  user channel: only by the application\n  refused\n";
  return answer;
}

}  // namespace

Outcome<AccessAnswer> explain_access(const config::Loaded& loaded, const AccessQuestion& question) {
  const auto app = find_app(loaded, question.app);
  if (!app) return std::unexpected(app.error());
  if (!hub::valid_channel_name(question.channel, loaded.settings.server.strict_channel_names)) {
    return std::unexpected(
        Failure{.what = "no channel can have the name " + question.channel, .where = {}, .why = {}, .remedies = {}});
  }
  const auto identity = identify(**app, question);
  if (!identity) return std::unexpected(identity.error());
  const auth::Identity* who = identity->get();
  const auth::ChannelRules rules((*app)->rules);
  const std::string_view bare = hub::bare_name(question.channel);
  const hub::ChannelKind kind = hub::kind_of(question.channel);
  if (kind.user()) return explain_user_channel(question.channel, who);
  AccessAnswer answer;
  answer.text = fit_for_terminal(question.channel + ", " + describe(who)) + "\n";
  for (const Action action : {Action::kSubscribe, Action::kPublish, Action::kSeeMembers}) {
    if (action == Action::kSeeMembers && !kind.presence()) continue;
    const Verdict verdict = rules.decide(action, question.channel, bare, who);
    answer.text += std::string(auth::name_of(action)) + "\n";
    const std::string refused = action == Action::kSubscribe ? beside_rule(verdict, **app, kind, who) : std::string();
    std::vector<std::string> lines = rules.explain(action, question.channel, bare, who);
    if (verdict == Verdict::kNoRule) lines.back() = without_rule(action, **app, kind);
    if (!refused.empty()) lines.back() = refused;
    for (const std::string& line : lines) answer.text += "  " + fit_for_terminal(line) + "\n";
    if (action != Action::kSubscribe) continue;
    const bool open = verdict == Verdict::kNoRule && !kind.needs_signature();
    answer.may_subscribe = refused.empty() && (verdict == Verdict::kAllow || open);
  }
  return answer;
}

}  // namespace kilat::cli
