#include "api/service.h"

#include <algorithm>
#include <new>
#include <utility>

#include "api/answer.h"
#include "api/history_answer.h"
#include "api/query_answer.h"
#include "api/request_auth.h"
#include "base/log.h"

namespace kilat::api {
namespace {

using http::Method;

http::Response method_not_allowed(std::string_view allow) {
  http::Response response = refusal(Reason::kHttpMethodNotAllowed);
  response.headers.push_back({"Allow", std::string(allow)});
  return response;
}

constexpr std::string_view kIdempotencyHeader = "Idempotency-Key";

bool is_read(Method method) {
  return method == Method::kGet || method == Method::kHead;
}

http::Response rate_limited(uint32_t limit, uint32_t remaining) {
  http::Response response = refusal(Reason::kApiRateLimited);
  response.headers.push_back({"X-RateLimit-Limit", std::to_string(limit)});
  response.headers.push_back({"X-RateLimit-Remaining", std::to_string(remaining)});
  return response;
}

}  // namespace

Service::Service(hub::AppTable& apps, hub::ShardHub& hub, hub::Access& access, ServiceHost& host,
                 ServiceOptions options)
    : apps_(apps), hub_(hub), access_(access), host_(host), options_(std::move(options)) {}

Outcome Service::handle(const http::Request& request, std::string_view path, Ticket ticket, uint64_t now_unix_ms) {
  const http::PathSegments segments = http::split_path(path);
  const std::optional<std::string> id = http::percent_decode(segments[1]);
  hub::App* app = id ? apps_.by_id(*id) : nullptr;
  if (app == nullptr) return refusal(Reason::kApiAppUnknown);
  if (!app->settings.enabled) return refusal(Reason::kApiAppDisabled);
  const http::Query query(request.query());
  const Reason reason =
      authenticate(request, query, options_.path_prefix, *app, access_.key(app->index), now_unix_ms / 1000);
  if (reason != Reason::kNone) return refusal(reason);
  if (app->index >= tallies_.size()) tallies_.resize(app->index + 1);
  ++tallies_[app->index].requests;
  tallies_[app->index].received_bytes += request.body().size();
  Outcome outcome = dispatch({request, query, segments, *app, ticket, now_unix_ms});
  if (const auto* response = std::get_if<http::Response>(&outcome)) {
    tallies_[app->index].sent_bytes += response->body.size();
  }
  return outcome;
}

const hub::App* Service::streams(const http::Request& head, std::string_view path) {
  const http::PathSegments segments = http::split_path(path);
  if (head.method() != Method::kPost || segments.too_many() || segments.size() != 3 || segments[2] != "ingest") {
    return nullptr;
  }
  const std::optional<std::string> id = http::percent_decode(segments[1]);
  const hub::App* app = id ? apps_.by_id(*id) : nullptr;
  const bool open = app != nullptr && app->settings.enabled && authenticate_bearer(head, *app) == Reason::kNone;
  return open ? app : nullptr;
}

void Service::note_streamed(hub::AppIndex app, uint64_t received_bytes, uint64_t sent_bytes) {
  if (app >= tallies_.size()) tallies_.resize(app + 1);
  ++tallies_[app].requests;
  tallies_[app].received_bytes += received_bytes;
  tallies_[app].sent_bytes += sent_bytes;
}

template <typename Build>
void Service::answer_later(hub::AppIndex app, Ticket ticket, Build&& build) {
  try {
    const http::Response response = build();
    tallies_[app].sent_bytes += response.body.size();
    host_.answer(ticket, response);
  } catch (const std::bad_alloc&) {
    host_.give_up(ticket);
  }
}

Outcome Service::dispatch(const Call& call) {
  const http::PathSegments& path = call.path;
  const Method method = call.request.method();
  const auto post_only = [&](auto&& handler) -> Outcome {
    return method == Method::kPost ? handler() : Outcome(method_not_allowed("POST, OPTIONS"));
  };
  const auto get_only = [&](auto&& handler) -> Outcome {
    return is_read(method) ? handler() : Outcome(method_not_allowed("GET, HEAD, OPTIONS"));
  };
  const std::string_view what = path[2];
  if (what == "socketio" && path.size() >= 4 && call.app.settings.socketio) {
    std::string action(path[3]);
    if (path.size() > 4) action.append("/").append(path[4]);
    return ForSockets{&call.app, std::move(action)};
  }
  if (path.too_many()) return refusal(Reason::kHttpNotFound);
  if (what == "ingest") return ingest(call);
  if (path.size() == 3 && what == "readings") {
    return get_only([&] { return read_ingest(call, ForIngest::Kind::kReadings); });
  }
  if (path.size() == 3 && what == "sensors") {
    return get_only([&] { return read_ingest(call, ForIngest::Kind::kSensors); });
  }
  if (path.size() == 3 && what == "events") return post_only([&] { return post_events(call); });
  if (path.size() == 3 && what == "batch_events") return post_only([&] { return post_batch(call); });
  if (path.size() == 3 && what == "channels") return get_only([&] { return get_channels(call); });
  if (path.size() == 4 && what == "channels") return get_only([&] { return get_channel(call); });
  if (path.size() == 5 && what == "channels" && path[4] == "users") return get_only([&] { return get_users(call); });
  if (path.size() == 5 && what == "channels" && path[4] == "history") {
    return get_only([&] { return get_history(call); });
  }
  if (path.size() == 3 && what == "connections") return get_only([&] { return get_connections(call); });
  if (path.size() == 3 && what == "tail") return get_only([&] { return tail(call); });
  if (path.size() == 5 && what == "users" && path[4] == "terminate_connections") {
    return post_only([&] { return disconnect_user(call, Reason::kTerminatedByApi); });
  }
  if (path.size() == 5 && what == "users" && path[4] == "force_reconnect") {
    return post_only([&] { return disconnect_user(call, Reason::kForcedReconnect); });
  }
  return refusal(Reason::kHttpNotFound);
}

// --- publishing

Outcome Service::post_events(const Call& call) {
  Result<Event> event = parser_.parse_event(call.request.body(), call.app.settings, options_.strict_channel_names);
  if (!event) return refusal(event.error().reason, event.error().detail);
  if (const std::string_view key = call.request.header(kIdempotencyHeader); !key.empty()) {
    if (!valid_idempotency_key(key)) return refusal(Reason::kApiIdempotencyKeyInvalid);
    event->key = key;
  }
  return publish_all(call, std::span(&*event, 1), false);
}

Outcome Service::post_batch(const Call& call) {
  Result<std::vector<Event>> events =
      parser_.parse_batch(call.request.body(), call.app.settings, options_.strict_channel_names);
  if (!events) return refusal(events.error().reason, events.error().detail);
  if (const std::string_view key = call.request.header(kIdempotencyHeader); !key.empty()) {
    if (!valid_idempotency_key(key)) return refusal(Reason::kApiIdempotencyKeyInvalid);
    // One for the request as a whole stands for one for each of its events.
    for (size_t i = 0; i < events->size(); ++i) (*events)[i].key = std::string(key) + '#' + std::to_string(i);
  }
  return publish_all(call, *events, true);
}

Outcome Service::publish_all(const Call& call, std::span<const Event> events, bool batch) {
  PendingPublish publish{
      .app = call.app.index, .ticket = call.ticket, .batch = batch, .with_info = false, .awaited = 0, .parts = {}};
  for (const Event& event : events) {
    publish.with_info |= event.info.any();
    for (const std::string& channel : event.channels) publish.parts.push_back({channel, event.info, {}});
  }
  const uint32_t limit = call.app.settings.backend_events_per_second;
  const hub::SecondWindow::Verdict verdict =
      call.app.backend_events.take(static_cast<uint32_t>(publish.parts.size()), limit, call.now_unix_ms);
  if (!verdict.allowed) return rate_limited(limit, verdict.remaining);
  if (publish.parts.size() > 1 && hub_.shards() > 1) {
    std::vector<std::string> channels;
    channels.reserve(publish.parts.size());
    for (const Part& part : publish.parts) channels.push_back(part.channel);
    if (!hub_.has_room_for(call.app.index, channels)) return refusal(Reason::kApiOverCapacity);
  }

  const hub::RequestId request = ++last_request_;
  uint32_t index = 0;
  for (const Event& event : events) {
    for (const std::string& channel : event.channels) {
      const std::optional<hub::PublishReply> reply = hub_.publish(hub::Publication::make({
                                                                      .app = call.app.index,
                                                                      .channel = channel,
                                                                      .event = event.name,
                                                                      .data = event.data,
                                                                      .key = event.key,
                                                                      .exclude = event.exclude,
                                                                  }),
                                                                  request, index);
      if (reply) {
        publish.parts[index].reply = *reply;
      } else {
        ++publish.awaited;
      }
      ++index;
    }
  }
  if (publish.awaited == 0) return publish_answer(publish);
  publishes_.emplace(request, std::move(publish));
  return Pending{};
}

void Service::on_published(hub::RequestId request, const hub::PublishReply& reply) {
  const auto found = publishes_.find(request);
  if (found == publishes_.end()) return;
  PendingPublish& publish = found->second;
  publish.parts[reply.index].reply = reply;
  if (--publish.awaited > 0) return;
  const auto done = publishes_.extract(found);
  answer_later(done.mapped().app, done.mapped().ticket, [&done] { return publish_answer(done.mapped()); });
}

http::Response Service::publish_answer(const PendingPublish& publish) {
  const auto refused = [](const Part& part) { return part.reply.refused != Reason::kNone; };
  const auto first = std::ranges::find_if(publish.parts, refused);
  if (first != publish.parts.end()) {
    const auto count = static_cast<size_t>(std::ranges::count_if(publish.parts, refused));
    return refusal(first->reply.refused,
                   std::to_string(count) + " of " + std::to_string(publish.parts.size()) + " channels were left out");
  }
  if (!publish.with_info) return ok();
  std::vector<hub::ChannelCounts> counts;
  counts.reserve(publish.parts.size());
  for (const Part& part : publish.parts) {
    counts.push_back({part.channel, part.reply.subscriptions, part.reply.users, part.reply.position});
  }
  if (!publish.batch) return ok(channels_json(counts, publish.parts.front().info));
  std::string json = R"({"batch":[)";
  for (size_t i = 0; i < counts.size(); ++i) {
    if (i > 0) json += ',';
    json += counts_json(counts[i], publish.parts[i].info);
  }
  json += "]}";
  return ok(std::move(json));
}

Outcome Service::disconnect_user(const Call& call, Reason reason) {
  const std::optional<std::string> user = http::percent_decode(call.path[3]);
  if (!user || user->empty() || user->size() > call.app.settings.user_id_max) {
    return refusal(Reason::kApiUserIdInvalid);
  }
  const std::string channel = std::string(hub::kUserChannelPrefix) + *user;
  const hub::RequestId request = ++last_request_;
  const std::optional<hub::PublishReply> reply = hub_.publish(
      hub::Publication::make(
          {.kind = hub::Publication::Kind::kKick, .app = call.app.index, .reason = reason, .channel = channel}),
      request, 0);
  PendingPublish publish{
      .app = call.app.index, .ticket = call.ticket, .batch = false, .with_info = false, .awaited = 1, .parts = {}};
  publish.parts.push_back({channel, {}, reply.value_or(hub::PublishReply{})});
  if (reply) return publish_answer(publish);
  publishes_.emplace(request, std::move(publish));
  return Pending{};
}

// --- questions

std::optional<http::Response> Service::limit_reads(const Call& call) const {
  const uint32_t limit = call.app.settings.read_requests_per_second;
  const hub::SecondWindow::Verdict verdict = call.app.read_requests.take(1, limit, call.now_unix_ms);
  if (verdict.allowed) return std::nullopt;
  return rate_limited(limit, verdict.remaining);
}

Outcome Service::get_channels(const Call& call) {
  const std::string prefix(call.query.get("filter_by_prefix").value_or(""));
  const Info info = parse_info(call.query.get("info").value_or(""));
  if (info.user_count && !prefix.starts_with("presence-")) return refusal(Reason::kApiInfoInvalid);
  return ask(call, {.kind = hub::Query::Kind::kChannels, .app = call.app.index, .name = prefix}, info);
}

Outcome Service::get_channel(const Call& call) {
  const std::optional<std::string> name = http::percent_decode(call.path[3]);
  if (!name || name->empty() || name->size() > call.app.settings.channel_name_max) {
    return refusal(Reason::kApiChannelInvalid);
  }
  const Info info = parse_info(call.query.get("info").value_or(""));
  if (info.user_count && !hub::kind_of(*name).presence()) return refusal(Reason::kApiInfoInvalid);
  return ask(call, {.kind = hub::Query::Kind::kChannel, .app = call.app.index, .name = *name}, info);
}

Outcome Service::get_users(const Call& call) {
  const std::optional<std::string> name = http::percent_decode(call.path[3]);
  if (!name || name->size() > call.app.settings.channel_name_max) return refusal(Reason::kApiChannelInvalid);
  if (!hub::kind_of(*name).presence()) return refusal(Reason::kApiNotPresence);
  return ask(call, {.kind = hub::Query::Kind::kUsers, .app = call.app.index, .name = *name}, {});
}

Outcome Service::get_history(const Call& call) {
  const std::optional<std::string> name = http::percent_decode(call.path[3]);
  if (!name || name->empty() || name->size() > call.app.settings.channel_name_max) {
    return refusal(Reason::kApiChannelInvalid);
  }
  hub::Query query{.kind = hub::Query::Kind::kHistory, .app = call.app.index, .name = *name, .range = {}};
  const Result<hub::HistoryRange> range = parse_range(call.query);
  if (!range) return refusal(range.error().reason, range.error().detail);
  query.range = *range;
  return ask(call, query, {});
}

Outcome Service::ask(const Call& call, const hub::Query& query, Info info) {
  if (std::optional<http::Response> limited = limit_reads(call)) return std::move(*limited);
  const hub::RequestId request = ++last_request_;
  const uint32_t awaited = query.kind == hub::Query::Kind::kChannels ? hub_.shards() : 1;
  queries_.emplace(
      request, PendingQuery{.ticket = call.ticket, .query = query, .info = info, .awaited = awaited, .gathered = {}});
  asking_ = request;
  hub_.query(request, query);
  asking_ = 0;
  if (answered_now_) return *std::exchange(answered_now_, std::nullopt);
  // All homes are on this shard, and there was no memory for their answer.
  if (!queries_.contains(request)) throw std::bad_alloc();
  return Pending{};
}

void Service::on_answer(hub::RequestId request, hub::QueryReply reply) {
  const auto found = queries_.find(request);
  if (found == queries_.end()) return;
  PendingQuery& pending = found->second;
  gather(pending, std::move(reply));
  if (--pending.awaited > 0) return;
  const auto done = queries_.extract(found);
  const PendingQuery& query = done.mapped();
  if (asking_ != request) {
    return answer_later(query.query.app, query.ticket, [&query] { return query_answer(query); });
  }
  try {
    answered_now_ = query_answer(query);
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch)
    // ask() sees that there is neither an answer nor anything to wait for.
  }
}

void Service::gather(PendingQuery& pending, hub::QueryReply reply) {
  pending.gathered.failed |= reply.failed;
  if (pending.query.kind != hub::Query::Kind::kChannels) {
    const bool failed = pending.gathered.failed;
    pending.gathered = std::move(reply);
    pending.gathered.failed = failed;
    return;
  }
  try {
    std::ranges::move(reply.channels, std::back_inserter(pending.gathered.channels));
  } catch (const std::bad_alloc&) {
    pending.gathered.failed = true;
  }
}

http::Response Service::query_answer(const PendingQuery& pending) {
  if (pending.gathered.failed) return refusal(Reason::kMemoryBudget);
  switch (pending.query.kind) {
    case hub::Query::Kind::kChannels: return ok(channels_json(pending.gathered.channels, pending.info));
    case hub::Query::Kind::kChannel: return ok(channel_json(pending.query.name, pending.gathered, pending.info));
    case hub::Query::Kind::kHistory:
      return history_answer(pending.query, pending.gathered.history_off, pending.gathered.history);
    case hub::Query::Kind::kUsers: break;
  }
  return ok(users_json(pending.gathered));
}

Outcome Service::get_connections(const Call& call) const {
  std::string json = R"({"connections":)";
  json += std::to_string(call.app.connections.load(std::memory_order_relaxed));
  json += '}';
  return ok(std::move(json));
}

Outcome Service::tail(const Call& call) const {
  return Tail{call.app.index, std::string(call.query.get("channel").value_or("")),
              std::string(call.query.get("event").value_or(""))};
}

// --- durable ingest

Outcome Service::read_ingest(const Call& call, ForIngest::Kind kind) const {
  if (std::optional<http::Response> limited = limit_reads(call)) return std::move(*limited);
  return ForIngest{kind, &call.app, {}};
}

Outcome Service::ingest(const Call& call) const {
  using Kind = ForIngest::Kind;
  const http::PathSegments& path = call.path;
  const Method method = call.request.method();
  if (path.size() == 3) {
    if (is_read(method)) return read_ingest(call, Kind::kQueue);
    if (method != Method::kPost) return method_not_allowed("GET, HEAD, POST, OPTIONS");
    const std::string_view key = call.request.header(kIdempotencyHeader);
    if (!key.empty() && !valid_idempotency_key(key)) return refusal(Reason::kApiIdempotencyKeyInvalid);
    return ForIngest{Kind::kAccept, &call.app, {}};
  }
  if (path[3] != "failed" || path.size() > 6) return refusal(Reason::kHttpNotFound);
  const bool to_retry = path.size() > 4 && path[path.size() - 1] == "retry";
  if (path.size() == 6 && !to_retry) return refusal(Reason::kHttpNotFound);
  std::string job(path.size() == 6 || (path.size() == 5 && !to_retry) ? path[4] : std::string_view());
  if (to_retry) {
    if (method != Method::kPost) return method_not_allowed("POST, OPTIONS");
    return ForIngest{Kind::kRetry, &call.app, std::move(job)};
  }
  if (method == Method::kDelete) return ForIngest{Kind::kForget, &call.app, std::move(job)};
  if (path.size() == 4 && is_read(method)) return read_ingest(call, Kind::kFailed);
  return method_not_allowed(path.size() == 4 ? "GET, HEAD, DELETE, OPTIONS" : "DELETE, OPTIONS");
}

}  // namespace kilat::api
