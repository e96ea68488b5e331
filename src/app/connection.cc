#include "app/connection.h"

#include <utility>

#include "app/credentials.h"
#include "app/shard.h"
#include "base/log.h"
#include "base/memory_reserve.h"
#include "http/cors.h"
#include "http/forwarded.h"
#include "http/text.h"
#include "http/uri.h"
#include "net/proxy_protocol.h"
#include "pusher/encode.h"
#include "pusher/formats.h"
#include "pusher/handshake.h"
#include "socketio/session.h"
#include "ws/handshake.h"

namespace kilat::app {

namespace {

// The first subprotocol that a client offers; the reference server takes it, whatever it is.
std::string_view first_of(std::string_view list) {
  return http::trim(list.substr(0, list.find(',')));
}

}  // namespace

Connection::Connection(Shard& shard, net::Descriptor fd, const Peer& peer, Lease lease, bool tls)
    : tls_(tls),
      secure_(tls),
      from_proxy_(shard.trusted_proxies().contains(peer)),
      shard_(shard),
      stream_(shard.reactor(), fd.release(), *this),
      http_(std::make_unique<HttpSession>(shard, *this)),
      peer_(peer),
      lease_(std::move(lease)) {}

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
  if (link_) return link_->on_bytes(bytes);
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
  if (result.refused == Reason::kNone) {
    options = negotiate(request, *result.app, result.protocol, extensions);
    const hub::AppSettings* const asked[] = {&result.app->settings};
    options.credentials = credentials_of(request, asked);
  }
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

Reason Connection::upgrade_socketio(const http::Request& request, const socketio::Shard::Upgrade& upgrade, bool echo,
                                    std::span<char> rest) {
  socketio::Shard& socketio = shard_.socketio();
  if (upgrade.sid.empty() && shard_.draining()) return Reason::kServerDraining;
  const std::string_view protocol = first_of(request.header("Sec-WebSocket-Protocol"));
  const std::string_view key = request.header("Sec-WebSocket-Key");
  const std::string_view offered = request.header("Sec-WebSocket-Extensions");
  if (upgrade.shard != shard_.index()) {
    if (!stream_.empty()) return Reason::kServerOverCapacity;  // an earlier answer is not sent yet
    // Once it has given its socket away there is no way back.
    const memory::MustSucceed moving;
    std::unique_ptr<MovedConnection> moved = prepare_move();
    moved->sid = upgrade.sid;
    moved->key = key;
    moved->protocol = protocol;
    moved->extensions = offered;
    moved->rest.assign(rest.data(), rest.size());
    upgraded_ = std::move(http_);
    shard_.hand_to(upgrade.shard, std::move(moved));
    shard_.bury(*this);
    return Reason::kNone;
  }
  if (!upgrade.sid.empty()) {
    if (!socketio.knows(upgrade.sid)) return Reason::kEioSessionUnknown;
    accept_link(key, protocol, offered);
    socketio.probe(upgrade.sid, *link_, false);
  } else {
    if (forwarded_) {
      const Reason refused = shard_.take_address(lease_, {.address = *forwarded_, .local = false});
      if (refused != Reason::kNone) return refused;
    }
    hub::App* app = nullptr;
    if (const Reason refused = socketio.admit(app); refused != Reason::kNone) return refused;
    socketio::Admitted admitted(socketio.host, *app);
    accept_link(key, protocol, offered);
    socketio.open(*link_, admitted, socketio_client(request), upgrade.text_only, echo);
  }
  if (!rest.empty()) link_->on_bytes(rest);
  return Reason::kNone;
}

socketio::ClientInfo Connection::socketio_client(const http::Request& request) const {
  std::vector<const hub::AppSettings*> apps;
  for (const socketio::Namespace& nsp : shard_.socketio().options.namespaces) {
    apps.push_back(&shard_.apps()[nsp.app].settings);
  }
  socketio::ClientInfo client{
      .address = client_address().text(), .secure = secure_, .credentials = credentials_of(request, apps)};
  if (shard_.socketio().handlers != nullptr) client.request = std::make_shared<const socketio::FirstRequest>(request);
  return client;
}

// Answers 101; from now on the connection is a WebSocket of Socket.IO.
void Connection::accept_link(std::string_view key, std::string_view protocol, std::string_view offered) {
  socketio::Shard& socketio = shard_.socketio();
  // Without contexts one compressed frame serves all readers.
  constexpr ws::DeflateConfig kDeflate{.server_min_window_bits = ws::kWindowBitsMax};
  std::string extensions;
  const bool deflate = socketio.options.compression && ws::negotiate_deflate(offered, kDeflate, extensions).has_value();
  make_link(deflate);
  std::string switching;
  ws::append_switching_protocols(switching, key, protocol, extensions);
  stream_.push(net::FramePtr::make(switching));
}

void Connection::make_link(bool deflate) {
  link_ = std::make_unique<socketio::Link>(shard_.socketio(), socketio::LinkOptions{.deflate = deflate}, stream_,
                                           static_cast<socketio::LinkHost&>(*this));
  upgraded_ = std::move(http_);
  lease_.give_http();
}

// --- moving to another shard

bool Connection::movable() {
  if (!stream_.empty()) stream_.try_send();
  return stream_.empty() && !stream_.closed() && !stream_.finishing();
}

std::unique_ptr<MovedConnection> Connection::prepare_move() {
  auto moved = std::make_unique<MovedConnection>(stream_.release(), peer_, std::move(lease_));
  moved->forwarded = std::move(forwarded_);
  moved->tls = tls_;
  moved->secure = secure_;
  return moved;
}

void Connection::move(socketio::LinkHost::Move&& move) {
  const memory::MustSucceed moving;
  std::unique_ptr<MovedConnection> moved = prepare_move();
  moved->sid = std::move(move.sid);
  moved->rest = move.rest;
  moved->accepted = true;
  moved->probed = move.probed;
  moved->deflate = move.deflate;
  moved->state = std::move(move.state);
  shard_.hand_to(move.shard, std::move(moved));
  shard_.bury(*this);
}

void Connection::finish_move(MovedConnection& moved) {
  socketio::Shard& socketio = shard_.socketio();
  forwarded_ = moved.forwarded ? std::make_unique<IpAddress>(*moved.forwarded) : nullptr;
  secure_ = moved.secure;
  if (moved.state) {
    make_link(moved.deflate);
    socketio.adopt(std::move(*moved.state), link_.get());
  } else if (moved.accepted) {
    make_link(moved.deflate);
    if (!socketio.knows(moved.sid)) return link_->close(Reason::kEioSessionUnknown);
    socketio.probe(moved.sid, *link_, moved.probed);
  } else {
    if (!socketio.knows(moved.sid)) return refuse_moved(Reason::kEioSessionUnknown);
    accept_link(moved.key, moved.protocol, moved.extensions);
    socketio.probe(moved.sid, *link_, false);
  }
  upgraded_.reset();
  if (moved.rest.empty()) return;
  std::string rest = moved.rest;
  const size_t size = rest.size();
  rest.append(ws::kPadding, '\0');
  link_->on_bytes({rest.data(), size});
}

void Connection::refuse_moved(Reason reason) {
  shard_.note_refusal(reason, {});
  std::string bytes;
  http::append_response(bytes,
                        {.status = 400, .content_type = "text/html", .body = std::string(reason_row(reason).text)},
                        {.keep_alive = false, .date = shard_.http_date()});
  stream_.push(net::FramePtr::make(bytes));
  stream_.finish(reason);
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
  const Reason refused = shard_.admit(app);
  if (refused == Reason::kNone) app_ = &app;
  return refused;
}

void Connection::give_quota_back() {
  hub::App* app = std::exchange(app_, nullptr);
  if (app != nullptr) shard_.release(*app);
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
  if (link_) return link_->close_session(reason);
  if (!http_) return stream_.finish(reason);
  if (reason == Reason::kServerDraining) return http_->say_goodbye();
  http_->finish(reason);
}

void Connection::close_slow(Reason reason) {
  const memory::MustSucceed closing;
  if (link_) {
    link_->retire(reason);
    note_input();
    return stream_.finish_slow(reason, socketio::closing_frame(reason));
  }
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
  if (link_) link_->retire(reason);
  shard_.traffic().close(session_ ? 1 : link_ ? 2 : 0, reason);
  if (log::enabled(log::Level::kDebug)) {
    log::event(log::Level::kDebug, "connection_closed",
               {{"reason", reason_row(reason).id},
                {"protocol", session_ ? "pusher"
                             : link_  ? "socketio"
                                      : "http"},
                {"client", client_address().text()},
                {"app", session_ ? shard_.apps()[session_->app()].settings.id : std::string()},
                {"socket_id", session_ ? session_->socket_id().text() : std::string()}});
  }
  shard_.bury(*this);
}

}  // namespace kilat::app
