#include "api/channel_auth.h"

#include <algorithm>
#include <new>
#include <optional>
#include <utility>

#include "api/answer.h"
#include "auth/credentials.h"
#include "auth/hmac.h"
#include "auth/signed_text.h"
#include "base/json_parser.h"
#include "base/json_text.h"
#include "base/member_data.h"
#include "http/text.h"
#include "http/uri.h"

namespace kilat::api {
namespace {

namespace dom = simdjson::dom;

/// Where Laravel's and Pusher's clients ask by default.
constexpr std::string_view kUsualPaths[] = {"/broadcasting/auth", "/api/broadcasting/auth", "/pusher/auth",
                                            "/pusher/user-auth"};

struct Fields {
  std::string socket_id;
  std::string channel_name;
  std::string app_key;
};

std::optional<Fields> read_fields(const http::Request& request) {
  const http::Query query(request.query(), http::Plus::kSpace);
  Fields fields;
  const auto read = [&fields](auto&& get) {
    for (auto [name, field] :
         {std::pair("socket_id", &fields.socket_id), std::pair("channel_name", &fields.channel_name),
          std::pair("app_key", &fields.app_key)}) {
      if (const std::optional<std::string_view> value = get(name)) *field = *value;
    }
  };
  read([&query](std::string_view name) { return query.get(name); });
  const std::string_view type = request.header("Content-Type");
  if (http::iequals(type.substr(0, type.find(';')), "application/json")) {
    JsonParser parser;
    const std::optional<dom::element> root = parser.parse(request.body());
    dom::object object;
    if (!root || root->get(object) != simdjson::SUCCESS) return std::nullopt;
    read([&object](std::string_view name) { return string_member(object, name); });
    return fields;
  }
  const http::Query form(request.body(), http::Plus::kSpace);
  if (form.malformed() || form.too_many()) return std::nullopt;
  read([&form](std::string_view name) { return form.get(name); });
  return fields;
}

bool is_path_of(const hub::AppSettings& app, std::string_view path) {
  if (!app.enabled || !app.jwt.enabled()) return false;
  if (app.auth_paths.empty()) return std::ranges::find(kUsualPaths, path) != std::end(kUsualPaths);
  return std::ranges::find(app.auth_paths, path) != app.auth_paths.end();
}

}  // namespace

ChannelAuth::ChannelAuth(const hub::AppTable& apps, hub::Access& access, ServiceHost& host)
    : apps_(apps), access_(access), host_(host) {}

bool ChannelAuth::serves(std::string_view path) const {
  return app_for(path, {}) != nullptr;
}

// Two apps may share a path: then the request says whose key it has, or the first one is meant.
const hub::App* ChannelAuth::app_for(std::string_view path, std::string_view key) const {
  for (size_t i = 0; i < apps_.size(); ++i) {
    const hub::App& app = apps_[static_cast<hub::AppIndex>(i)];
    if (app.present && is_path_of(app.settings, path) && (key.empty() || app.settings.key == key)) return &app;
  }
  return nullptr;
}

void ChannelAuth::handle(const http::Request& request, std::string_view path, Ticket ticket) {
  if (request.method() != http::Method::kPost) {
    http::Response response = refusal(Reason::kHttpMethodNotAllowed);
    response.headers.push_back({"Allow", "POST, OPTIONS"});
    return host_.answer(ticket, response);
  }
  Result<Question> question = read(request, path);
  if (!question) return refuse(ticket, question.error().reason, question.error().detail);
  question->ticket = ticket;
  const std::string token = question->token;
  access_.authenticator().identify(question->app, token,
                                   [this, asked = std::move(*question)](const auth::Authenticator::Outcome& who) {
                                     // The request may have waited for keys: nothing may leave this call.
                                     try {
                                       if (!who) return refuse(asked.ticket, who.error());
                                       decide(asked, *who);
                                     } catch (const std::bad_alloc&) {
                                       host_.give_up(asked.ticket);
                                     }
                                   });
}

Result<ChannelAuth::Question> ChannelAuth::read(const http::Request& request, std::string_view path) const {
  std::optional<Fields> fields = read_fields(request);
  if (!fields) return fail(Reason::kApiBodyInvalid);
  const hub::App* app = app_for(path, fields->app_key);
  if (app == nullptr) return fail(Reason::kApiKeyInvalid);
  const std::string_view token = http::bearer_token(request.header("Authorization"));
  if (token.empty()) return fail(Reason::kTokenMissing);
  if (!hub::SocketId::parse(fields->socket_id)) return fail(Reason::kApiSocketIdInvalid);
  const bool named = !fields->channel_name.empty();
  const bool good = fields->channel_name.size() <= app->settings.channel_name_max &&
                    hub::valid_channel_name(fields->channel_name, false) && !hub::kind_of(fields->channel_name).user();
  if (named && !good) return fail(Reason::kApiChannelInvalid);
  return Question{.app = app->index,
                  .socket_id = std::move(fields->socket_id),
                  .channel = std::move(fields->channel_name),
                  .token = std::string(token),
                  .headers = auth::shown_headers(request),
                  .ticket = 0};
}

void ChannelAuth::decide(const Question& question, const auth::IdentityPtr& who) {
  const hub::AppSettings& app = apps_[question.app].settings;
  if (question.channel.empty()) {
    // The token goes along, so that the server knows roles and expiry when the client comes with it.
    std::string user;
    append_member(user, MemberKind::kSignin, who->user_id, who->info, question.token);
    const std::string text = auth::user_text(question.socket_id, user);
    std::string body = R"({"auth":")" + app.key + ':' + auth::hmac_sha256_hex(app.secret, text) + R"(","user_data":)";
    append_json_string(body, user);
    return answer(question.ticket, body + '}');
  }
  if (hub::kind_of(question.channel).encrypted()) {
    return refuse(question.ticket, Reason::kRuleRefused,
                  "only the application can hand out keys of encrypted channels");
  }
  const auth::Verdict verdict = access_.decide(question.app, auth::Action::kSubscribe, question.channel, who.get());
  if (verdict == auth::Verdict::kAllow) return grant(question, {who->user_id, who->info});
  if (verdict == auth::Verdict::kAsk) return ask_backend(question, who);
  refuse(question.ticket, Reason::kRuleRefused);
}

void ChannelAuth::ask_backend(const Question& question, const auth::IdentityPtr& who) {
  access_.backend().ask(question.app,
                        {.channel = question.channel,
                         .socket_id = question.socket_id,
                         .user_id = who->user_id,
                         .headers = question.headers},
                        [this, question, who](const auth::BackendAnswer& said) {
                          try {
                            const hub::Entry entry = hub::Access::told(question.channel, said, who.get());
                            if (entry.refused != Reason::kNone) return refuse(question.ticket, entry.refused);
                            grant(question, entry.member);
                          } catch (const std::bad_alloc&) {
                            host_.give_up(question.ticket);
                          }
                        });
}

void ChannelAuth::grant(const Question& question, const hub::Member& member) {
  const hub::AppSettings& app = apps_[question.app].settings;
  std::optional<std::string> data;
  if (hub::kind_of(question.channel).presence()) {
    append_member(data.emplace(), MemberKind::kPresence, member.user_id, member.info);
  }
  const std::string text = auth::channel_text(question.socket_id, question.channel, data);
  std::string body = R"({"auth":")" + app.key + ':' + auth::hmac_sha256_hex(app.secret, text) + '"';
  if (data) {
    body += R"(,"channel_data":)";
    append_json_string(body, *data);
  }
  answer(question.ticket, body + '}');
}

void ChannelAuth::answer(Ticket ticket, std::string body) {
  http::Response response = ok(std::move(body));
  response.headers.push_back({"Cache-Control", "no-store"});
  host_.answer(ticket, response);
}

void ChannelAuth::refuse(Ticket ticket, Reason reason, std::string_view detail) {
  host_.answer(ticket, refusal(reason, detail));
}

}  // namespace kilat::api
