// ChannelAuth: answers what pusher-js, Laravel Echo and their like ask a backend before they join a private channel or
// sign in (docs/rules.md): the server itself says yes or no, by the user's token and the app's rules, and signs.
// Owner: one shard. Answers go through ServiceHost::answer, at once where nothing has to be fetched.
// Bounds: the request's own size, one answer for each.
#pragma once

#include <string>
#include <string_view>

#include "api/service.h"

namespace kilat::api {

class ChannelAuth {
 public:
  ChannelAuth(const hub::AppTable& apps, hub::Access& access, ServiceHost& host);

  /// Whether an app is asked at this path, which stands without the server's prefix.
  bool serves(std::string_view path) const;

  /// A request to such a path. Refusals: kHttpMethodNotAllowed, kApiBodyInvalid, kApiSocketIdInvalid,
  /// kApiChannelInvalid, kTokenMissing and those of Authenticator::identify, kRuleRefused, kBackendRefused,
  /// kBackendUnavailable.
  void handle(const http::Request& request, std::string_view path, Ticket ticket);

 private:
  struct Question {
    hub::AppIndex app = 0;
    std::string socket_id;
    std::string channel;  ///< empty: a user wants to sign in
    std::string token;
    std::vector<std::pair<std::string, std::string>> headers;  ///< for the backend
    Ticket ticket = 0;
  };

  const hub::App* app_for(std::string_view path, std::string_view key) const;
  Result<Question> read(const http::Request& request, std::string_view path) const;
  void decide(const Question& question, const auth::IdentityPtr& who);
  void ask_backend(const Question& question, const auth::IdentityPtr& who);
  void grant(const Question& question, const hub::Member& member);
  void refuse(Ticket ticket, Reason reason, std::string_view detail = {});
  void answer(Ticket ticket, std::string body);

  const hub::AppTable& apps_;
  hub::Access& access_;
  ServiceHost& host_;
};

}  // namespace kilat::api
