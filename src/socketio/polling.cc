// Long-polling: HTTP requests to the path of Socket.IO (Engine.IO protocol 4). The order of the checks, the codes and
// the bodies are those of the reference server.
#include <new>

#include "base/json_text.h"
#include "http/cors.h"
#include "http/text.h"
#include "http/uri.h"
#include "socketio/letters.h"
#include "socketio/payload.h"
#include "socketio/session.h"
#include "socketio/shard.h"

namespace kilat::socketio {
namespace {

constexpr std::string_view kVersion = "4";

/// The parameters of a request; of a repeated one the last counts.
struct Parameters {
  explicit Parameters(const http::Request& request) : query(request.query()) {
    for (const http::Query::Item& item : query.items()) {
      if (item.name == "EIO") version = item.value;
      if (item.name == "transport") transport = item.value;
      if (item.name == "sid") sid = item.value;
      if (item.name == "b64") text_only = item.value == "1";
      if (item.name == "j") jsonp = true;
    }
  }

  const http::Query query;
  std::string_view version;
  std::string_view transport;
  std::string_view sid;
  bool text_only = false;
  bool jsonp = false;
};

http::Response packets_answer(std::string body) {
  return {
      .status = 200, .content_type = "text/plain; charset=UTF-8", .cache_control = "no-store", .body = std::move(body)};
}

int engine_code(Reason reason) {
  switch (reason) {
    case Reason::kEioTransportUnknown: return 0;
    case Reason::kEioSessionUnknown: return 1;
    case Reason::kEioBadHandshakeMethod: return 2;
    case Reason::kEioBadRequest: return 3;
    case Reason::kEioVersionUnsupported: return 5;
    default: return 4;
  }
}

http::Response handshake_answer(const Session& session, const std::string& cookie) {
  http::Response response = packets_answer("0" + session.handshake());
  if (!cookie.empty()) {
    response.headers.push_back({"Set-Cookie", cookie + "=" + session.sid() + "; Path=/; HttpOnly; SameSite=Lax"});
  }
  return response;
}

// RFC 9110, section 12.5.3: listed, and not with the weight 0.
bool takes_gzip(const http::Request& request) {
  std::string_view list = request.header("Accept-Encoding");
  while (!list.empty()) {
    const size_t comma = list.find(',');
    const std::string_view entry = list.substr(0, comma);
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    const size_t semicolon = entry.find(';');
    if (!http::iequals(http::trim(entry.substr(0, semicolon)), "gzip")) continue;
    if (semicolon == std::string_view::npos) return true;
    return http::trim(entry.substr(semicolon + 1)).find_first_not_of("qQ=0. ") != std::string_view::npos;
  }
  return false;
}

}  // namespace

http::Response engine_refusal(Reason reason) {
  const ReasonRow& row = reason_row(reason);
  std::string body = R"({"code":)";
  append_json_number(body, static_cast<uint64_t>(engine_code(reason)));
  body += R"(,"message":)";
  append_json_string(body, row.text);
  body += '}';
  return {.status = row.http_status != 0 ? row.http_status : uint16_t{503},
          .content_type = "application/json",
          .body = std::move(body),
          .headers = {},
          .reason = reason};
}

Shard::Upgrade Shard::check_upgrade(const http::Request& request) const {
  const Parameters parameters(request);
  Upgrade upgrade{.refused = Reason::kNone,
                  .sid = std::string(parameters.sid),
                  .shard = hub.shard(),
                  .text_only = parameters.text_only};
  if (options.namespaces.front().app >= apps.size()) {
    upgrade.refused = Reason::kAppUnknown;
    return upgrade;
  }
  const auto& origins = apps[options.namespaces.front().app].settings.allowed_origins;
  if (parameters.transport != "websocket") {
    const bool known = parameters.transport == "polling" && options.polling;
    upgrade.refused = known ? Reason::kEioBadRequest : Reason::kEioTransportUnknown;
  } else if (!options.websocket) {
    upgrade.refused = Reason::kEioTransportUnknown;
  } else if (!parameters.sid.empty() && (parameters.version != kVersion || !options.upgrades)) {
    upgrade.refused = Reason::kEioBadRequest;
  } else if (!http::origin_matches(origins, request.header("Origin"))) {
    upgrade.refused = Reason::kOriginRefused;
  } else if (parameters.version != kVersion) {
    upgrade.refused = Reason::kEioVersionUnsupported;
  } else if (!parameters.sid.empty()) {
    const std::optional<hub::ShardIndex> shard = shard_of(parameters.sid);
    if (!shard) upgrade.refused = Reason::kEioSessionUnknown;
    upgrade.shard = moved_to(upgrade.sid).value_or(shard.value_or(hub.shard()));
  }
  return upgrade;
}

std::optional<http::Response> Shard::handle(const http::Request& request, const Origin& origin, std::string& sid) {
  if (options.namespaces.front().app >= apps.size()) return engine_refusal(Reason::kAppUnknown);
  const Parameters parameters(request);
  const bool polling = parameters.transport == "polling" && options.polling;
  if (!polling && !(parameters.transport == "websocket" && options.websocket)) {
    return engine_refusal(Reason::kEioTransportUnknown);
  }
  const auto& origins = app_of(options.namespaces.front()).settings.allowed_origins;
  const bool origin_allowed = http::origin_matches(origins, request.header("Origin"));
  if (parameters.sid.empty()) {
    if (request.method() != http::Method::kGet) return engine_refusal(Reason::kEioBadHandshakeMethod);
    if (!polling || parameters.jsonp) return engine_refusal(Reason::kEioBadRequest);
    if (!origin_allowed) return engine_refusal(Reason::kOriginRefused);
    if (parameters.version != kVersion) return engine_refusal(Reason::kEioVersionUnsupported);
    return open_polling(origin, parameters.text_only);
  }
  const std::optional<hub::ShardIndex> shard = shard_of(parameters.sid);
  if (!shard) return engine_refusal(Reason::kEioSessionUnknown);
  if (!origin_allowed) return engine_refusal(Reason::kOriginRefused);
  PollRequest poll{.to = {hub.shard(), origin.ticket},
                   .sid = std::string(parameters.sid),
                   .method = request.method(),
                   .bad = !polling || parameters.version != kVersion,
                   .octets = http::iequals(request.header("Content-Type"), "application/octet-stream"),
                   .gzip = options.http_compression && takes_gzip(request),
                   .body = std::string(request.body())};
  sid = poll.sid;
  if (*shard == hub.shard()) {
    on_request(std::move(poll));
  } else if (hub.has_room_at(*shard)) {
    hub.post(*shard, std::make_unique<Letter>(std::move(poll)));
  } else {
    return engine_refusal(Reason::kApiOverCapacity);
  }
  return std::nullopt;
}

http::Response Shard::open_polling(const Origin& origin, bool text_only) {
  if (origin.draining) return engine_refusal(Reason::kServerDraining);
  hub::App* app = nullptr;
  if (const Reason refused = admit(app); refused != Reason::kNone) return engine_refusal(refused);
  Admitted place(host, *app);
  auto session = std::make_unique<Session>(*this, new_secret_id(), *app, origin.client(), nullptr);
  place.keep();
  Session& opened = *session;
  take(std::move(session));
  if (text_only) opened.set_text_only();
  if (origin.echo) opened.set_echo();
  try {
    return handshake_answer(opened, options.cookie);
  } catch (const std::bad_alloc&) {
    // Its client never hears of it.
    opened.give_up();
    throw;
  }
}

void Shard::reply(const ReplyTo& to, http::Response response) {
  if (to.shard == hub.shard()) return host.answer(to.ticket, response);
  hub.post(to.shard, std::make_unique<Letter>(Answer{to.ticket, std::move(response)}));
}

void Shard::on_request(PollRequest request) {
  if (const auto other = moved_to(request.sid)) {
    return hub.post(*other, std::make_unique<Letter>(std::move(request)));
  }
  Session* session = find_session(request.sid);
  const ReplyTo to = request.to;
  if (session == nullptr && request.method == http::Method::kGet && take_last_poll(request.sid)) {
    return reply(to, packets_answer("6"));
  }
  if (session == nullptr || session->ended()) return reply(to, engine_refusal(Reason::kEioSessionUnknown));
  if (request.bad || !session->polls()) return reply(to, engine_refusal(Reason::kEioBadRequest));
  if (request.method == http::Method::kGet) return session->on_get(request);
  if (request.method == http::Method::kPost) return session->on_post(request);
  reply(to, {.status = 500, .reason = Reason::kHttpMethodNotAllowed});
}

void Shard::on_gone(const std::string& sid, uint64_t ticket, bool draining) {
  const std::optional<hub::ShardIndex> shard = shard_of(sid);
  if (!shard) return;
  const ReplyTo to{hub.shard(), ticket};
  if (*shard != hub.shard()) return hub.post(*shard, std::make_unique<Letter>(Gone{sid, to, draining}));
  on_gone(Gone{sid, to, draining});
}

void Shard::on_gone(const Gone& gone) {
  if (const auto other = moved_to(gone.sid)) return hub.post(*other, std::make_unique<Letter>(Gone(gone)));
  if (Session* session = find_session(gone.sid)) session->on_gone(gone.to, gone.draining);
}

// --- the session's side

void Session::answer(const ReplyTo& to, std::string body, bool gzipped) {
  constexpr size_t kGzipBytesMin = 1024;
  std::string compressed;
  if (gzipped && body.size() >= kGzipBytesMin) compressed = gzip(body);
  if (compressed.empty()) return shard_.reply(to, packets_answer(std::move(body)));
  http::Response response = packets_answer(std::move(compressed));
  response.headers.push_back({"Content-Encoding", "gzip"});
  shard_.reply(to, std::move(response));
}

void Session::on_get(const PollRequest& request) {
  if (shard_.now_ms >= beat_ms_ && pinged_) {
    // The timer of this very turn has not run yet.
    end(Reason::kEioPingTimeout);
    return shard_.reply(request.to, engine_refusal(Reason::kEioSessionUnknown));
  }
  if (poll_->waiting) {
    shard_.reply(request.to, {.status = 400, .reason = Reason::kEioOverlap});
    return close(Reason::kEioOverlap);
  }
  poll_->waiting = request.to;
  poll_->gzip = request.gzip;
  if (poll_->outbox.overflowed()) return end(Reason::kSlowConsumer);
  if (poll_->closing && poll_->outbox.empty()) return end(Reason::kSioPacketInvalid);
  if (!poll_->outbox.empty()) return answer_poll();
  if (poll_->probed) schedule();
}

void Session::on_post(const PollRequest& request) {
  if (request.octets) {
    shard_.reply(request.to, {.status = 400, .reason = Reason::kEioBinaryBody});
    return end(Reason::kEioBinaryBody);
  }
  if (request.body.size() > shard_.options.message_bytes_max) {
    return shard_.reply(request.to, {.status = 413, .reason = Reason::kHttpBodyTooLarge});
  }
  feed(request.body);
  shard_.reply(request.to, {.status = 200, .content_type = "text/html", .cache_control = "no-store", .body = "ok"});
}

void Session::on_gone(const ReplyTo& to, bool draining) {
  if (ended_ || !poll_ || poll_->waiting != to) return;
  if (draining) return close(Reason::kServerDraining);
  poll_->waiting.reset();
  end(Reason::kClientGone);
}

void Session::flush_poll() {
  if (ended_ || !poll_) return;
  if (poll_->outbox.starved()) return end(Reason::kMemoryBudget);
  answer_poll();
  // What is over the limit even after that has no reader.
  if (!ended_ && poll_->outbox.overflowed()) end(Reason::kSlowConsumer);
}

void Session::answer_poll() {
  if (!poll_ || !poll_->waiting || poll_->outbox.empty()) return;
  const ReplyTo to = *std::exchange(poll_->waiting, std::nullopt);
  answer(to, take_body(poll_->outbox), poll_->gzip);
}

}  // namespace kilat::socketio
