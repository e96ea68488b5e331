#include "app/connection.h"

#include <utility>

#include "app/shard.h"
#include "base/log.h"
#include "base/memory_reserve.h"
#include "http/cors.h"
#include "http/forwarded.h"
#include "http/uri.h"
#include "net/proxy_protocol.h"
#include "pusher/encode.h"
#include "pusher/formats.h"
#include "pusher/handshake.h"
#include "ws/handshake.h"

namespace kilat::app {

Connection::Connection(Shard& shard, net::Descriptor fd, const Peer& peer, Lease lease, bool tls)
    : shard_(shard),
      stream_(shard.reactor(), fd.release(), *this),
      http_(std::make_unique<HttpSession>(shard, *this)),
      peer_(peer),
      lease_(std::move(lease)),
      tls_(tls),
      secure_(tls),
      from_proxy_(shard.trusted_proxies().contains(peer)) {}

Connection::~Connection() {
  give_quota_back();
}

void Connection::on_bytes(std::span<char> bytes) {
  if (stream_.starved()) return;
  guarded([this, bytes] { take(bytes); });
  note_input();
  shard_.hold_input_when_behind();
}

bool Connection::on_end() {
  bool waits = false;
  guarded([this, &waits] { waits = http_ && http_->on_end(); });
  return waits || stream_.closed();
}

void Connection::on_proxied(const net::ProxyParser& header) {
  if (!header.source()) return;  // the proxy speaks for itself
  peer_ = {.address = *header.source(), .local = false};
  tls_ = tls_ || header.tls();
  secure_ = tls_;
  // What the client itself writes in its requests counts only if it is a trusted proxy in turn.
  from_proxy_ = shard_.trusted_proxies().contains(peer_);
  guarded([this] {
    const Reason refused = shard_.take_address(lease_, peer_);
    if (refused == Reason::kNone) return;
    shard_.note_refusal(refused, peer_.address.text());
    stream_.abort(refused);
  });
}

void Connection::read_forwarded(const http::Request& request) {
  const NetworkList& trusted = shard_.trusted_proxies();
  const http::Forwarded said =
      shard_.settings().server.forwarded_header == http::ForwardedHeader::kForwarded
          ? http::read_forwarded(request.header("Forwarded"), trusted)
          : http::read_x_forwarded(request.header("X-Forwarded-For"), request.header("X-Forwarded-Proto"), trusted);
  forwarded_ = said.client ? std::make_unique<IpAddress>(*said.client) : nullptr;
  secure_ = said.tls ? *said.tls : tls_;
}

void Connection::give_up() {
  if (!stream_.closed()) close_slow(Reason::kMemoryBudget);
}

void Connection::take(std::span<char> bytes) {
  upgraded_.reset();
  if (session_) return session_->on_bytes(bytes);
  if (!http_) return;
  http_->on_bytes(bytes);
  upgraded_.reset();
}

void Connection::upgrade(const http::Request& request, std::string_view app_key, std::span<char> rest) {
  const std::string key = http::percent_decode(app_key).value_or(std::string());
  const http::Query query(request.query());
  hub::AppTable& apps = shard_.apps();
  const hub::App* named = apps.by_key(key);
  const bool origin_allowed =
      named == nullptr || http::origin_matches(named->settings.allowed_origins, request.header("Origin"));
  pusher::HandshakeResult result = pusher::check_handshake(
      {.app_key = key, .protocol = query.get("protocol"), .origin_allowed = origin_allowed, .tls = secure_}, apps,
      shard_.settings().server.strict_protocol);
  if (result.refused == Reason::kNone && shard_.draining()) result.refused = Reason::kServerDraining;
  if (result.refused == Reason::kNone) result.refused = take_quotas(*result.app);

  std::string extensions;
  pusher::SessionOptions options;
  if (result.refused == Reason::kNone) options = negotiate(request, *result.app, result.protocol, extensions);
  std::string switching;
  ws::append_switching_protocols(switching, request.header("Sec-WebSocket-Key"), {}, extensions);
  stream_.push(net::FramePtr::make(switching));
  upgraded_ = std::move(http_);
  if (result.refused != Reason::kNone) return refuse_session(result.app, result.refused);

  stream_.set_urgent(!result.app->settings.linger);
  session_ = std::make_unique<pusher::Session>(shard_.pusher(), *result.app, options, stream_,
                                               static_cast<pusher::SessionHost&>(*this));
  session_->open();
  lease_.give_http();
  if (!rest.empty()) session_->on_bytes(rest);
}

pusher::SessionOptions Connection::negotiate(const http::Request& request, const hub::App& app, int protocol,
                                             std::string& extensions) {
  pusher::SessionOptions options{.protocol = protocol, .socket_id = shard_.new_socket_id()};
  const hub::Compression compression = app.settings.compression;
  if (compression == hub::Compression::kOff) return options;
  const bool own = compression == hub::Compression::kDedicated;
  const ws::DeflateConfig config{.server_context_takeover = own,
                                 .client_context_takeover = own,
                                 .server_min_window_bits = own ? ws::kDeflateWindowBitsMin : ws::kWindowBitsMax};
  const std::optional<ws::DeflateParams> params =
      ws::negotiate_deflate(request.header("Sec-WebSocket-Extensions"), config, extensions);
  if (!params) return options;
  options.deflate = true;
  options.client_takeover = !params->client_no_context_takeover;
  options.server_window_bits = params->server_max_window_bits;
  const bool own_context = own && !params->server_no_context_takeover;
  const bool shared_fits = params->server_max_window_bits == ws::kWindowBitsMax;
  options.format = own_context || !shared_fits ? pusher::kOwnFormat : pusher::kDeflatedFormat;
  options.server_takeover = own_context;
  return options;
}

Reason Connection::take_quotas(hub::App& app) {
  // The connection of a proxy is not its client's, and may carry requests of many clients; a WebSocket is.
  if (forwarded_) {
    const Reason refused = shard_.take_address(lease_, {.address = *forwarded_, .local = false});
    if (refused != Reason::kNone) return refused;
  }
  if (!app.shared->connects.take(1, app.settings.connects_per_second, shard_.now_ms()).allowed) {
    return Reason::kAppConnectsLimited;
  }
  return take_quota(app);
}

Reason Connection::take_quota(hub::App& app) {
  const uint32_t app_max = app.settings.max_connections;
  const uint32_t server_max = shard_.settings().server.max_connections;
  const uint32_t in_app = app.connections.fetch_add(1, std::memory_order_relaxed) + 1;
  const uint32_t in_all = shard_.apps().connections().fetch_add(1, std::memory_order_relaxed) + 1;
  app_ = &app;
  if (server_max != 0 && in_all > server_max) {
    give_quota_back();
    return Reason::kServerOverCapacity;
  }
  if (app_max != 0 && in_app > app_max) {
    give_quota_back();
    return app.settings.over_quota_code == 4100 ? Reason::kAppOverQuotaRetry : Reason::kAppOverQuota;
  }
  return Reason::kNone;
}

void Connection::give_quota_back() {
  hub::App* app = std::exchange(app_, nullptr);
  if (app == nullptr) return;
  app->connections.fetch_sub(1, std::memory_order_relaxed);
  shard_.apps().connections().fetch_sub(1, std::memory_order_relaxed);
}

void Connection::refuse_session(hub::App* app, Reason reason) {
  shard_.traffic().refuse(reason);
  if (log::enabled(log::Level::kDebug)) {
    log::event(log::Level::kDebug, "refused",
               {{"reason", reason_row(reason).id}, {"app", app != nullptr ? app->settings.id : std::string()}});
  }
  stream_.push(pusher::closing_frames(reason));
  stream_.finish(reason);
}

void Connection::close(Reason reason) {
  guarded([this, reason] { end(reason); });
}

void Connection::end(Reason reason) {
  if (session_) return session_->close(reason);
  if (!http_) return stream_.finish(reason);
  if (reason == Reason::kServerDraining) return http_->say_goodbye();
  http_->finish(reason);
}

void Connection::close_slow(Reason reason) {
  const memory::MustSucceed closing;
  if (!session_) {
    // One answer may be larger than the limit: it is sent to its end, in the time that slow readers have.
    if (!stream_.overflowed() && reason != Reason::kMemoryBudget) return close(reason);
    return stream_.abort(reason);
  }
  session_->close_silently();
  note_input();
  stream_.finish_slow(reason, pusher::closing_frames(reason));
  give_quota_back();
}

void Connection::finish(Reason reason) {
  stream_.finish(reason);
  give_quota_back();
}

void Connection::on_closed(Reason reason) {
  const memory::MustSucceed closing;
  if (session_) {
    session_->retire();
    give_quota_back();
  }
  shard_.traffic().close(session_ != nullptr, reason);
  if (log::enabled(log::Level::kDebug)) {
    log::event(log::Level::kDebug, "connection_closed",
               {{"reason", reason_row(reason).id},
                {"protocol", session_ ? "pusher" : "http"},
                {"client", client_address().text()},
                {"app", session_ ? shard_.apps()[session_->app()].settings.id : std::string()},
                {"socket_id", session_ ? session_->socket_id().text() : std::string()}});
  }
  shard_.bury(*this);
}

}  // namespace kilat::app
