#include "app/credentials.h"

#include <string_view>

#include "http/text.h"
#include "http/uri.h"

namespace kilat::app {
namespace {

constexpr std::string_view kBearer = "bearer ";
constexpr std::string_view kShown[] = {"Authorization", "Cookie", "X-CSRF-TOKEN", "X-XSRF-TOKEN"};

std::string_view bearer_of(std::string_view authorization) {
  if (authorization.size() < kBearer.size() || !http::iequals(authorization.substr(0, kBearer.size()), kBearer)) {
    return {};
  }
  return http::trim(authorization.substr(kBearer.size()));
}

}  // namespace

auth::CredentialsPtr credentials_of(const http::Request& request, std::span<const hub::AppSettings* const> apps) {
  bool takes_token = false;
  bool in_query = false;
  bool asks_backend = false;
  for (const hub::AppSettings* app : apps) {
    takes_token |= app->jwt.enabled();
    in_query |= app->jwt.enabled() && app->jwt.in_query;
    asks_backend |= !app->authorize_url.empty();
  }
  auth::Credentials shown;
  if (takes_token) shown.token = bearer_of(request.header("Authorization"));
  if (in_query && shown.token.empty()) {
    shown.token = http::Query(request.query()).get("token").value_or(std::string_view());
  }
  for (const std::string_view name : kShown) {
    if (asks_backend && request.has_header(name)) shown.headers.emplace_back(name, request.header(name));
  }
  if (shown.token.empty() && shown.headers.empty()) return nullptr;
  return std::make_shared<const auth::Credentials>(std::move(shown));
}

}  // namespace kilat::app
