#include "embed/http_side.h"

#include <atomic>
#include <mutex>
#include <utility>

#include "api/answer.h"
#include "embed/link.h"
#include "embed/shard_side.h"
#include "embed/text.h"
#include "http/uri.h"

namespace kilat::web {

/// Shared by the copies of a Responder; any thread.
struct Responder::State {
  State(std::shared_ptr<io::detail::Link> link_in, hub::ShardIndex shard_in, api::Ticket ticket_in)
      : link(std::move(link_in)), shard(shard_in), ticket(ticket_in) {}
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  void answer(Response response);

  std::shared_ptr<io::detail::Link> link;
  hub::ShardIndex shard;
  api::Ticket ticket;
  std::atomic<bool> used{false};
  Response* at_once = nullptr;  ///< while the handler runs, on its shard: where the answer goes
  bool answered = false;        ///< it went there
};

namespace {

// Takes body and headers; the type stays, and must live as long as what is returned is used.
http::Response to_http(Response& response) {
  http::Response out{.status = response.status >= 200 && response.status <= 599 ? response.status : 500,
                     .content_type = response.content_type,
                     .body = std::move(response.body)};
  for (auto& [name, value] : response.headers) out.headers.push_back({std::move(name), std::move(value)});
  return out;
}

}  // namespace

void Responder::State::answer(Response response) {
  if (used.exchange(true)) return;
  // Other threads never look at what the handler's own thread writes.
  embed::ShardSide* here = link->here();
  if (here != nullptr && here->shard().index() == shard && at_once != nullptr) {
    *at_once = std::move(response);
    answered = true;
    return;
  }
  link->post(shard, [ticket_now = ticket, response = std::move(response)](embed::ShardSide& side) mutable {
    side.shard().answer_later(ticket_now, to_http(response));
  });
}

Responder::State::~State() {
  try {
    answer({.status = 500, .body = "The handler gave no answer.\n"});
  } catch (...) {  // NOLINT(bugprone-empty-catch): no memory; the client waits until it gives up
  }
}

void Responder::operator()(Response response) const {
  state_->answer(std::move(response));
}

std::string_view Request::header(std::string_view name) const {
  return embed::find_header(headers, name);
}

std::optional<boost::json::value> Request::json() const {
  return embed::value_of(body);
}

Routes::Routes() : table_(std::make_shared<embed::RouteTable>()) {}
Routes::~Routes() = default;

namespace {

std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> out;
  while (path.starts_with('/')) {
    path.remove_prefix(1);
    const size_t end = path.find('/');
    out.emplace_back(path.substr(0, end));
    path.remove_prefix(end == std::string_view::npos ? path.size() : end);
  }
  return out;
}

}  // namespace

Routes& Routes::route(std::string_view method, std::string_view path, LaterHandler handler) {
  embed::require_open(table_->sealed);
  table_->routes.push_back({.method = std::string(method),
                            .path = std::string(path),
                            .segments = segments_of(path),
                            .handler = std::move(handler)});
  return *this;
}

Routes& Routes::files(std::string_view path, const std::string& directory) {
  embed::require_open(table_->sealed);
  table_->files.emplace_back(std::string(path), directory);
  return *this;
}

}  // namespace kilat::web

namespace kilat::embed {
namespace {

using Taken = app::ShardProgram::Taken;

/// Decoded segments: an encoded slash stays inside of one.
std::optional<std::vector<std::string>> decoded_segments(std::string_view path) {
  std::vector<std::string> out;
  for (const std::string& raw : web::segments_of(path)) {
    std::optional<std::string> segment = http::percent_decode(raw);
    if (!segment) return std::nullopt;
    out.push_back(std::move(*segment));
  }
  return out;
}

bool fits(const WebRoute& route, const std::vector<std::string>& segments, std::map<std::string, std::string>& params) {
  params.clear();
  for (size_t i = 0; i < route.segments.size(); ++i) {
    const std::string& wanted = route.segments[i];
    if (wanted == "*" && i + 1 == route.segments.size()) {
      std::string rest;
      for (size_t j = i; j < segments.size(); ++j) rest += (j > i ? "/" : "") + segments[j];
      params["*"] = rest;
      return segments.size() > i;
    }
    if (i >= segments.size()) return false;
    if (wanted.starts_with(':')) {
      params[wanted.substr(1)] = segments[i];
    } else if (wanted != segments[i]) {
      return false;
    }
  }
  return segments.size() == route.segments.size();
}

bool method_fits(const WebRoute& route, std::string_view method) {
  return route.method == method || (route.method == "GET" && method == "HEAD");
}

web::Request copy_of(const app::ShardProgram::WebRequest& from, std::map<std::string, std::string> params) {
  web::Request request{.method = std::string(from.request.method_text()),
                       .path = http::percent_decode(from.path).value_or(std::string(from.path)),
                       .params = std::move(params),
                       .query = query_of(from.request.query()),
                       .headers = {},
                       .body = std::string(from.request.body()),
                       .address = from.client.text(),
                       .secure = from.secure};
  for (const http::Request::Header header : from.request.headers()) {
    request.headers.emplace_back(header.name, header.value);
  }
  return request;
}

}  // namespace

Taken HttpSide::on_request(const app::ShardProgram::WebRequest& request, http::Response& response) {
  const std::string_view method = request.request.method_text();
  std::string allowed;
  if (const auto segments = decoded_segments(request.path)) {
    std::map<std::string, std::string> params;
    for (const WebRoute& route : table_->routes) {
      if (!fits(route, *segments, params)) continue;
      if (method_fits(route, method)) return call(route, copy_of(request, std::move(params)), request.ticket, response);
      allowed += (allowed.empty() ? "" : ", ") + route.method;
    }
  }
  if (method == "GET" || method == "HEAD") {
    const std::optional<std::string> path = http::percent_decode(request.path);
    for (const StaticFiles& files : table_->files) {
      std::optional<http::Response> found = path ? files.answer(request.request, *path) : std::nullopt;
      if (!found) continue;
      response = std::move(*found);
      return Taken::kAnswered;
    }
  }
  // A preflight is the server's to answer.
  if (allowed.empty() || method == "OPTIONS") return Taken::kNo;
  response = api::refusal(Reason::kHttpMethodNotAllowed);
  response.headers.push_back({"Allow", allowed});
  return Taken::kAnswered;
}

Taken HttpSide::call(const WebRoute& route, web::Request request, api::Ticket ticket, http::Response& response) {
  web::Response at_once;
  const auto state = std::make_shared<web::Responder::State>(side_.shared_link(), side_.shard().index(), ticket);
  state->at_once = &at_once;
  const bool fine = side_.guard("http", route.path, [&] { route.handler(request, web::Responder(state)); });
  if (!fine && !state->used.exchange(true)) {
    at_once = {.status = 500, .body = "The handler failed.\n"};
    state->answered = true;
  }
  state->at_once = nullptr;
  if (!state->answered) return Taken::kLater;
  response = web::to_http(at_once);
  // Until the next answer: this one is written before.
  content_type_ = std::move(at_once.content_type);
  response.content_type = content_type_;
  return Taken::kAnswered;
}

}  // namespace kilat::embed
