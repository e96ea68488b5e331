#include "app/http_session.h"

#include <utility>

#include "api/answer.h"
#include "app/connection.h"
#include "app/shard.h"
#include "base/log.h"
#include "http/text.h"
#include "socketio/emitter.h"
#include "socketio/session.h"
#include "ws/handshake.h"

namespace kilat::app {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

HttpSession::HttpSession(Shard& shard, Connection& connection)
    : Timer(&HttpSession::on_timer),
      shard_(shard),
      connection_(connection),
      parser_({.header_bytes_max = shard.settings().http.header_bytes_max,
               .body_bytes_max = shard.settings().http.body_bytes_max,
               .offer_streams = shard.takes_readings()},
              &shard.parsers()),
      id_(shard.next_http_id()) {
  wait_for(Waiting::kFirstRequest);
}

HttpSession::~HttpSession() {
  if (noted_) shard_.forget_waiting(id_);
  abandon_poll(false);
  if (tailing_) shard_.end_tail(connection_.stream());
}

// --- time limits

void HttpSession::wait_for(Waiting waiting) {
  waiting_ = waiting;
  const config::HttpSettings& http = shard_.settings().http;
  const uint32_t limit_ms = waiting == Waiting::kFirstRequest ? http.handshake_timeout_ms
                            : waiting == Waiting::kRequest    ? http.request_timeout_ms
                                                              : http.keep_alive_timeout_ms;
  due_ms_ = shard_.now_ms() + limit_ms;
  // A busy connection puts its limit off with each request. The wheel hears of that once in a while, because it would
  // touch two more connections each time.
  if (!armed() || due_ms_ < deadline_ms()) shard_.wheel().schedule(*this, due_ms_);
}

void HttpSession::on_timer(Timer& timer) {
  auto& session = static_cast<HttpSession&>(timer);
  session.connection_.guarded([&session] { session.on_time_limit(); });
}

void HttpSession::on_time_limit() {
  if (tailing_ || last_) return;
  if (shard_.now_ms() < due_ms_) return shard_.wheel().schedule(*this, due_ms_);
  if (upload_ && !upload_->over() && !upload_->complete() && !upload_->busy()) {
    upload_->refuse(Reason::kHttpTimeout, "no whole line has come");
    return upload_->go_on();
  }
  if (!slots_.empty()) return wait_for(waiting_);  // it waits for us, not we for it
  if (waiting_ == Waiting::kNextRequest) return finish(Reason::kHttpIdle);
  handle_error(waiting_ == Waiting::kFirstRequest ? Reason::kWsHandshakeTimeout : Reason::kHttpTimeout);
}

// --- requests

void HttpSession::on_bytes(std::span<char> bytes) {
  if (last_ || tailing_) return;
  if (!backlog_.empty()) {
    backlog_.append(bytes.data(), bytes.size());
    return;
  }
  take(bytes);
}

// Reads requests until the input is used up or has to wait; then sends what is ready, which may make room for more.
void HttpSession::take(std::span<char> bytes) {
  std::string held;  // the memory of `bytes`, once it comes from the backlog
  for (;;) {
    taking_ = true;
    const bool upgraded = parse(bytes);
    taking_ = false;
    if (upgraded) return;
    send_ready();
    if (backlog_.empty() || last_ || tailing_ || connection_.stream().finishing()) return;
    if (full()) {
      // Perhaps the client reads as fast as it writes, and the answers only wait for the end of the turn.
      connection_.stream().try_send();
      if (full()) return connection_.stream().pause_reading(true);
    }
    held = std::exchange(backlog_, {});
    const size_t size = held.size();
    held.append(ws::kPadding, '\0');
    bytes = {held.data(), size};
    if (!ended_) connection_.stream().pause_reading(false);
  }
}

bool HttpSession::full() {
  if (upload_ && upload_->busy()) return true;
  return slots_.size() >= kPipelineMax ||
         connection_.stream().cost() + slot_bytes_ > shard_.settings().limits.outbox_soft_bytes;
}

bool HttpSession::parse(std::span<char> bytes) {
  std::span<const char> in(bytes);
  while (!last_ && !tailing_) {
    if (full()) {
      backlog_.assign(in.data(), in.size());
      return false;
    }
    const http::Status status = parser_.feed(in);
    if (status == http::Status::kStreamable) {
      begin_upload();
    } else if (upload_ && status != http::Status::kExpectContinue) {
      follow_upload(status);
      if (status == http::Status::kNeedMore) return false;
    } else if (status == http::Status::kNeedMore) {
      if (parser_.started() && waiting_ == Waiting::kNextRequest) wait_for(Waiting::kRequest);
      // Also while an answer is due: a thousand clients that wait for one share the memory of a few parsers.
      if (parser_.fresh()) parser_.release();
      return false;
    } else if (status == http::Status::kExpectContinue) {
      if (!upload_) push_continue();
    } else if (status == http::Status::kError) {
      handle_error(parser_.error());
    } else if (handle_request(bytes.last(in.size()))) {
      return true;
    }
  }
  return false;
}

bool HttpSession::on_end() {
  if (upload_ && !upload_->complete()) {
    // Nobody sends half a body, and waits for the answer; but who does, gets one.
    ended_ = true;
    if (backlog_.empty()) follow_upload(http::Status::kNeedMore);
    return true;
  }
  if (!poll_sid_.empty()) {
    // A client that has aborted its poll; a half-closed connection has never been one that waits.
    abandon_poll(false);
    return false;
  }
  if (tailing_ || (slots_.empty() && backlog_.empty() && connection_.stream().empty())) return false;
  ended_ = true;
  if (slots_.empty() && backlog_.empty()) finish(Reason::kHttpDone);
  return true;
}

void HttpSession::on_drained() {
  if (!backlog_.empty() && !full()) take({});
}

void HttpSession::push_continue() {
  Slot& slot = slots_.emplace_back();
  slot.bytes = kContinue;
  finish_slot(slot);
}

HttpSession::Slot& HttpSession::new_slot(const http::Request& request) {
  Slot& slot = slots_.emplace_back();
  slot.keep_alive = request.keep_alive() && !goodbye_;
  slot.head_only = request.method() == http::Method::kHead;
  slot.minor_version = request.minor_version();
  slot.origin = request.header("Origin");
  if (log::enabled(log::Level::kDebug)) slot.path = request.path();
  return slot;
}

// Returns whether the connection is no longer ours.
bool HttpSession::handle_request(std::span<char> rest) {
  const http::Request& request = parser_.request();
  connection_.note_request(request);
  const Route route = route_of(request.path(), shard_.settings());
  const bool wants_socket = route.target == Target::kSocket || (route.target == Target::kSocketIo && request.upgrade());
  if (wants_socket && request.method() != http::Method::kOptions && !connection_.admin) {
    if (upgrade(request, route, rest)) return true;
  } else {
    answer_request(request, route);
  }
  if ((!request.keep_alive() || goodbye_) && !tailing_) last_ = true;
  parser_.reset();
  wait_for(Waiting::kNextRequest);
  return false;
}

bool HttpSession::upgrade(const http::Request& request, const Route& route, std::span<char> rest) {
  Reason reason = ws::check_upgrade({.method = request.method_text(),
                                     .upgrade = request.header("Upgrade"),
                                     .connection = request.header("Connection"),
                                     .key = request.header("Sec-WebSocket-Key"),
                                     .version = request.header("Sec-WebSocket-Version"),
                                     .http_1_1 = request.minor_version() >= 1});
  socketio::Shard::Upgrade upgrade;
  if (reason == Reason::kNone && route.target == Target::kSocketIo) {
    upgrade = shard_.socketio().check_upgrade(request);
    reason = upgrade.refused;
  }
  if (reason == Reason::kNone) {
    send_ready();
    if (slots_.empty() && route.target == Target::kSocketIo) {
      shard_.wheel().cancel(*this);
      reason = connection_.upgrade_socketio(request, upgrade, route.echo, rest);
      if (reason == Reason::kNone) return true;
      return refuse_upgrade(request, route, reason);
    }
    if (slots_.empty()) {
      shard_.wheel().cancel(*this);
      connection_.upgrade(request, route.app_key, rest);
      return true;
    }
    // An earlier request still waits for its answer; nobody upgrades behind one.
    reason = Reason::kHttpMalformed;
  }
  return refuse_upgrade(request, route, reason);
}

bool HttpSession::refuse_upgrade(const http::Request& request, const Route& route, Reason reason) {
  http::Response response = api::refusal(reason);
  if (route.target == Target::kSocketIo) {
    // In the words of the reference server, and never with another status.
    response.status = 400;
    response.content_type = "text/html";
    response.body = reason_row(reason).text;
  }
  if (reason_row(reason).http_status == 426) {
    response.headers = {{"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "13"}};
  }
  Slot& slot = new_slot(request);
  slot.route = HttpRoute::kUpgrade;
  fill(slot, response, false);
  return false;
}

void HttpSession::answer_request(const http::Request& request, const Route& route) {
  Slot& slot = new_slot(request);
  slot.route = http_route_of(request, route);
  if (connection_.admin) return answer_admin(request, slot);
  // The routes of the program come after those of the server; so do what it answers to OPTIONS.
  const bool authorizes = route.target == Target::kUnknown && shard_.channel_auth().serves(route.path);
  const bool free =
      (route.target == Target::kUnknown && !authorizes) ||
      (route.target == Target::kLocal && (route.path == "/" || !serves_local(route.path, shard_.settings())));
  if (free && shard_.program() != nullptr && ask_program(request, route)) return;
  if (request.method() == http::Method::kOptions) return fill(slot, {.status = 204}, true);
  if (route.target == Target::kLocal) {
    return fill(slot, answer_local(request, route.path, shard_.settings(), shard_.health()), false);
  }
  if (route.target == Target::kSocketIo) return poll(request, route.echo);
  if (route.target == Target::kStatus) {
    return shard_.socketio().emitter->ask_count(last_ticket(),
                                                R"({"success":true,"status":"active","connectedClients":)", "}");
  }
  if (authorizes) return shard_.channel_auth().handle(request, route.path, last_ticket());
  if (route.target != Target::kApi) return fill(slot, api::refusal(Reason::kHttpNotFound), false);

  const api::Outcome outcome = shard_.service().handle(request, route.path, last_ticket(), shard_.unix_now_ms());
  if (const auto* response = std::get_if<http::Response>(&outcome)) {
    fill(slot, *response, false);
  } else if (const auto* tail = std::get_if<api::Tail>(&outcome)) {
    prepare_tail(*tail, request);
  } else if (const auto* ingest = std::get_if<api::ForIngest>(&outcome)) {
    const std::optional<http::Response> refused = shard_.answer_ingest(request, *ingest, last_ticket());
    if (refused) fill(slots_.back(), *refused, false);
  } else if (const auto* sockets = std::get_if<api::ForSockets>(&outcome)) {
    const uint64_t ticket = last_ticket();
    socketio::EmitOutcome emitted = shard_.socketio().emitter->handle(request, sockets->action, *sockets->app, ticket);
    if (emitted.refused != Reason::kNone) {
      fill(slots_.back(), api::refusal(emitted.refused, emitted.detail), false);
    } else if (emitted.json) {
      fill(slots_.back(), api::ok(std::move(*emitted.json)), false);
    }
  }
}

// The header of a request whose body is large, or of unknown size. Where nothing is done it is gathered, like others.
void HttpSession::begin_upload() {
  const http::Request& request = parser_.request();
  const Route route = route_of(request.path(), shard_.settings());
  const hub::App* app = nullptr;
  const bool lines = ingest::is_lines(request.header("Content-Type"));
  if (lines && route.target == Target::kApi && !connection_.admin) app = shard_.service().streams(request, route.path);
  if (app == nullptr) return;
  connection_.note_request(request);
  // Before the slot of the answer, behind which nothing is sent until then.
  if (http::iequals(request.header("Expect"), "100-continue")) push_continue();
  Slot& slot = new_slot(request);
  slot.route = http_route_of(request, route);
  upload_ticket_ = last_ticket();
  Result<std::unique_ptr<IngestUpload>> upload = shard_.begin_upload(request, *app, upload_ticket_);
  if (!upload) {
    slot.keep_alive = false;
    last_ = true;
    return fill(slot, api::refusal(upload.error().reason, upload.error().detail), false);
  }
  upload_ = std::move(*upload);
  parser_.stream_to(*upload_);
  wait_for(Waiting::kRequest);
}

// What the parser has found in the body: more of it, its end, or that its chunks are broken. May end the upload.
void HttpSession::follow_upload(http::Status status) {
  const bool progressed = upload_->progressed();
  if (status == http::Status::kComplete) {
    upload_->end();
    if (!slots_.back().keep_alive || goodbye_) last_ = true;
    if (goodbye_) slots_.back().keep_alive = false;
    parser_.reset();
    wait_for(Waiting::kNextRequest);
  } else if (status == http::Status::kError) {
    upload_->refuse(parser_.error());
    last_ = true;
  } else if (ended_ && backlog_.empty()) {
    upload_->refuse(Reason::kHttpMalformed, "the body has no end");
  } else if (progressed) {
    wait_for(Waiting::kRequest);
  }
  upload_->go_on();
}

template <typename Work>
void HttpSession::work_on_upload(api::Ticket ticket, Work&& work) {
  if (!upload_ || upload_ticket_ != ticket) return;
  connection_.guarded([&] {
    const bool was_busy = upload_->busy();
    work(*upload_);
    if (!upload_ || upload_ticket_ != ticket || upload_->busy()) return;
    // It was us who let the client wait.
    if (was_busy) wait_for(Waiting::kRequest);
    if (!backlog_.empty() && !full()) take({});
  });
  connection_.note_input();
}

void HttpSession::on_piece(api::Ticket ticket, const store::Outcome<store::AcceptedJob>& outcome) {
  work_on_upload(ticket, [&outcome](IngestUpload& upload) { upload.on_piece(outcome); });
}

void HttpSession::go_on(api::Ticket ticket) {
  work_on_upload(ticket, [](IngestUpload& upload) { upload.go_on(); });
}

// False when the program has no route for it either.
bool HttpSession::ask_program(const http::Request& request, const Route& route) {
  const api::Ticket ticket = last_ticket();
  http::Response response;
  const ShardProgram::Taken taken = shard_.program()->on_request({.request = request,
                                                                  .path = route.path,
                                                                  .client = connection_.client_address(),
                                                                  .secure = connection_.secure(),
                                                                  .ticket = ticket},
                                                                 response);
  if (taken == ShardProgram::Taken::kNo) return false;
  if (taken == ShardProgram::Taken::kAnswered && !slots_.empty() && !slots_.back().done) {
    fill(slots_.back(), response, false);
  }
  return true;
}

// A request of long-polling. It may be answered before this returns, much later, or by another shard.
void HttpSession::poll(const http::Request& request, bool echo) {
  const uint64_t ticket = last_ticket();
  std::string sid;
  const std::optional<http::Response> response =
      shard_.socketio().handle(request,
                               {.client = [&] { return connection_.socketio_client(request); },
                                .ticket = ticket,
                                .draining = shard_.draining(),
                                .echo = echo},
                               sid);
  if (response) return fill(slots_.back(), *response, false);
  if (slots_.empty() || slots_.back().done) return;
  poll_sid_ = std::move(sid);
  poll_ticket_ = ticket;
}

// Nobody is there any more for the answer to a poll; or, while draining, its session is to end, which answers it.
void HttpSession::abandon_poll(bool draining) {
  if (poll_sid_.empty()) return;
  const std::string sid = std::exchange(poll_sid_, {});
  shard_.socketio().on_gone(sid, poll_ticket_, draining);
}

// The ticket of the newest request, whose answer may come later.
api::Ticket HttpSession::last_ticket() {
  const auto sequence = (first_sequence_ + static_cast<uint32_t>(slots_.size()) - 1) & kSequenceMask;
  if (!noted_) shard_.note_waiting(id_, *this);
  noted_ = true;
  return (id_ << kSequenceBits) | sequence;
}

void HttpSession::answer_admin(const http::Request& request, Slot& slot) {
  const std::string_view path = request.path();
  if (path == "/metrics" && (request.method() == http::Method::kGet || request.method() == http::Method::kHead)) {
    slot.route = HttpRoute::kMetrics;
    const http::Query query(request.query());
    const std::string_view json = query.get("json").value_or("0");
    const auto format = json == "0" || json == "false" ? metrics::Format::kText : metrics::Format::kJson;
    if (!shard_.ask_for_metrics(last_ticket(), format)) fill(slot, api::refusal(Reason::kApiOverCapacity), false);
    return;
  }
  fill(slot, answer_admin_path(request, shard_.health()), false);
}

void HttpSession::handle_error(Reason reason) {
  // At a body that could have been streamed, what that needs.
  std::string_view detail;
  if (reason == Reason::kHttpBodyTooLarge && parser_.request().path().ends_with("/ingest")) {
    detail = "read as it comes only with Authorization: Bearer and Content-Type: application/x-ndjson";
  }
  Slot& slot = slots_.emplace_back();
  slot.keep_alive = false;
  last_ = true;
  fill(slot, api::refusal(reason, detail), false);
  if (!taking_) send_ready();
}

void HttpSession::prepare_tail(const api::Tail& tail, const http::Request& request) {
  Slot& slot = slots_.back();
  const http::Response head{.status = 200, .content_type = "application/x-ndjson"};
  if (slot.head_only) return fill(slot, head, false);
  const bool chunked = http::append_stream_head(
      slot.bytes, head, {.keep_alive = false, .minor_version = request.minor_version(), .date = shard_.http_date()});
  finish_slot(slot);
  shard_.traffic().answer(HttpRoute::kTail, head.status);
  slot.keep_alive = true;  // the stream is the last answer, but it has no end of its own
  tailing_ = true;
  tail_ = Taps::Tap{.app = tail.app,
                    .channel = tail.channel,
                    .event = tail.event,
                    .chunked = chunked,
                    .outbox = &connection_.stream()};
}

// --- answers

void HttpSession::fill(Slot& slot, const http::Response& response, bool preflight) {
  if (response.reason != Reason::kNone) shard_.note_refusal(response.reason, slot.path);
  shard_.traffic().answer(slot.route, response.status);
  const http::ResponseOptions options{
      .keep_alive = slot.keep_alive,
      .head_only = slot.head_only,
      .minor_version = slot.minor_version,
      .date = shard_.http_date(),
      .cors = http::cors_headers(shard_.settings().http.cors_origins, {.options = preflight, .origin = slot.origin})};
  http::append_response(slot.bytes, response, options);
  finish_slot(slot);
}

void HttpSession::finish_slot(Slot& slot) {
  slot.done = true;
  slot_bytes_ += slot.bytes.size();
}

void HttpSession::answer(uint32_t sequence, const http::Response& response) {
  const uint32_t index = (sequence - first_sequence_) & kSequenceMask;
  if (index >= slots_.size() || slots_[index].done) return;
  // Destroyed at the end, when the next request may have been begun.
  std::unique_ptr<IngestUpload> upload;
  if (upload_ && (upload_ticket_ & kSequenceMask) == sequence) upload = std::move(upload_);
  if (upload && !upload->complete()) {
    // The rest of the body is not wanted, and stands before the next request.
    slots_[index].keep_alive = false;
    last_ = true;
  }
  if (!poll_sid_.empty() && (poll_ticket_ & kSequenceMask) == sequence) poll_sid_.clear();
  connection_.guarded([&] { take_answer(slots_[index], response); });
  connection_.note_input();
}

void HttpSession::give_up() {
  connection_.give_up();
}

void HttpSession::take_answer(Slot& slot, const http::Response& response) {
  fill(slot, response, false);
  if (taking_) return;
  send_ready();
  // A turn may answer a thousand polls. Sent one by one, they are made in the same memory, which stays in the cache.
  // Where more is to come for the same client, all goes out together at the end of the turn.
  if (slots_.empty()) connection_.stream().try_send();
  if (!backlog_.empty() && !full()) take({});
}

void HttpSession::send_ready() {
  std::string bytes;
  bool keep_alive = true;
  size_t sent = 0;
  for (; sent < slots_.size() && slots_[sent].done && keep_alive; ++sent) {
    keep_alive = slots_[sent].keep_alive;
    slot_bytes_ -= slots_[sent].bytes.size();
    if (bytes.empty()) {
      bytes = std::move(slots_[sent].bytes);
    } else {
      bytes += slots_[sent].bytes;
    }
  }
  slots_.erase(slots_.begin(), slots_.begin() + static_cast<std::ptrdiff_t>(sent));
  if (slots_.empty() && slots_.capacity() > kSlotsKept) slots_ = {};
  first_sequence_ = (first_sequence_ + static_cast<uint32_t>(sent)) & kSequenceMask;
  if (!bytes.empty()) connection_.stream().push(net::FramePtr::make(bytes));
  if (!keep_alive || (ended_ && slots_.empty() && backlog_.empty())) {
    return finish(goodbye_ ? Reason::kServerDraining : Reason::kHttpDone);
  }
  if (slots_.empty() && tail_) shard_.start_tail(*std::exchange(tail_, std::nullopt));
}

void HttpSession::say_goodbye() {
  abandon_poll(true);
  if (tailing_ || (slots_.empty() && backlog_.empty() && !parser_.started())) return finish(Reason::kServerDraining);
  // What was asked is answered first; the last answer ends the connection.
  goodbye_ = true;
  if (slots_.empty() || parser_.started() || !backlog_.empty()) return;
  last_ = true;
  slots_.back().keep_alive = false;
}

void HttpSession::finish(Reason reason) {
  last_ = true;
  if (tailing_) {
    tailing_ = false;
    shard_.end_tail(connection_.stream());
  }
  shard_.wheel().cancel(*this);
  connection_.stream().finish(reason);
}

}  // namespace kilat::app
