#include "app/routes.h"

#include <string>

#include "api/answer.h"
#include "console/assets.h"
#include "console/live_page.h"

namespace kilat::app {
namespace {

constexpr std::string_view kSocketPath = "/app/";

http::Response method_not_allowed(std::string_view allow) {
  http::Response response = api::refusal(Reason::kHttpMethodNotAllowed);
  response.headers.push_back({"Allow", std::string(allow)});
  return response;
}

bool reads(const http::Request& request) {
  return request.method() == http::Method::kGet || request.method() == http::Method::kHead;
}

http::Response live_config(const config::Settings& settings) {
  const hub::AppSettings& app = settings.apps.front();
  return {.status = 200,
          .content_type = api::kJson,
          .cache_control = "no-store",
          .body = console::live_config_json(app.key, settings.server.path_prefix, app.id)};
}

http::Response asset_answer(const http::Request& request, const console::Asset& asset) {
  http::Response response{.status = 200, .content_type = asset.content_type, .cache_control = "no-cache"};
  response.headers.push_back({"ETag", std::string(asset.etag)});
  response.headers.push_back({"Content-Security-Policy", std::string(console::kLiveContentSecurityPolicy)});
  if (request.header("If-None-Match") == asset.etag) {
    response.status = 304;
  } else {
    response.body = asset.body;
  }
  return response;
}

}  // namespace

Route route_of(std::string_view path, const config::Settings& settings) {
  const std::string_view prefix = settings.server.path_prefix;
  const bool prefixed =
      !prefix.empty() && path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
  if (!prefix.empty() && !prefixed) return {is_health_path(path) ? Target::kLocal : Target::kUnknown, path, {}, false};
  path.remove_prefix(prefix.size());
  if (path.empty()) path = "/";
  if (path.starts_with(kSocketPath) && path.find('/', kSocketPath.size()) == std::string_view::npos) {
    return {Target::kSocket, path, path.substr(kSocketPath.size()), false};
  }
  if (path.starts_with("/apps/")) return {Target::kApi, path, {}, false};
  if (const config::SocketIoSettings& socketio = settings.socketio; socketio.enabled) {
    const auto is = [path](std::string_view wanted) {
      return path.starts_with(wanted) && (path.size() == wanted.size() || path.substr(wanted.size()) == "/");
    };
    if (is(socketio.path)) return {Target::kSocketIo, path, {}, false};
    if (socketio.protocol_suite && is("/engine.io")) return {Target::kSocketIo, path, {}, true};
    if (!socketio.status_path.empty() && path == socketio.status_path) return {Target::kStatus, path, {}, false};
  }
  if (is_health_path(path) || path == "/live" || path.starts_with("/live/")) return {Target::kLocal, path, {}, false};
  return {Target::kUnknown, path, {}, false};
}

HttpRoute http_route_of(const http::Request& request, const Route& route) {
  if (request.method() == http::Method::kOptions) return HttpRoute::kPreflight;
  if (route.target == Target::kApi) return api_route_of(route.path);
  if (route.target != Target::kLocal) return HttpRoute::kOther;
  return is_health_path(route.path) ? HttpRoute::kHealth : HttpRoute::kLive;
}

http::Response answer_admin_path(const http::Request& request, const Health& health) {
  const std::string_view path = request.path();
  const bool known = is_health_path(path) || path == "/usage" || path == "/metrics";
  if (!known) return api::refusal(Reason::kHttpNotFound);
  if (!reads(request)) return method_not_allowed("GET, HEAD");
  return path == "/usage" ? usage_answer(health) : health_answer(path, health);
}

bool serves_local(std::string_view path, const config::Settings& settings) {
  return is_health_path(path) || settings.server.live_page;
}

http::Response answer_local(const http::Request& request, std::string_view path, const config::Settings& settings,
                            const Health& health) {
  const bool health_path = is_health_path(path);
  if (!serves_local(path, settings)) return api::refusal(Reason::kHttpNotFound);
  if (!reads(request)) return method_not_allowed("GET, HEAD, OPTIONS");
  if (health_path) return health_answer(path, health);
  if (path == "/live") {
    return {.status = 301, .headers = {{"Location", settings.server.path_prefix + "/live/"}}};
  }
  if (path == "/live/config.json") return live_config(settings);
  const console::Asset* asset = console::find_asset(path);
  return asset != nullptr ? asset_answer(request, *asset) : api::refusal(Reason::kHttpNotFound);
}

}  // namespace kilat::app
