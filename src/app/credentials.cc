#include "app/credentials.h"

#include <string_view>

#include "http/text.h"
#include "http/uri.h"

namespace kilat::app {
auth::CredentialsPtr credentials_of(const http::Request& request, std::span<const hub::AppSettings* const> apps) {
  bool takes_token = false;
  bool in_query = false;
  bool asks_backend = false;
  for (const hub::AppSettings* app : apps) {
    takes_token |= app->jwt.enabled();
    in_query |= app->jwt.enabled() && app->jwt.in_query;
    asks_backend |= !app->authorize.url.empty();
  }
  auth::Credentials shown;
  if (takes_token) shown.token = http::bearer_token(request.header("Authorization"));
  if (in_query && shown.token.empty()) {
    shown.token = http::Query(request.query()).get("token").value_or(std::string_view());
  }
  if (asks_backend) shown.headers = auth::shown_headers(request);
  if (shown.token.empty() && shown.headers.empty()) return nullptr;
  return std::make_shared<const auth::Credentials>(std::move(shown));
}

}  // namespace kilat::app
