// Socket.IO without sockets: real hub, real sessions, real timers on any number of shards, with a virtual clock.
// Clients speak over a Link or by long-polling; a reader of another protocol listens beside them. No test framework is
// needed, so fuzz targets use it too. One thread; messages between shards move in World::pump.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/hmac.h"
#include "base/base64.h"
#include "base/json_text.h"
#include "base/timer_wheel.h"
#include "http/request_parser.h"
#include "hub/shard_hub.h"
#include "socketio/emitter.h"
#include "socketio/link.h"
#include "socketio/recovery.h"
#include "socketio/session.h"
#include "socketio/session_state.h"
#include "socketio/shard.h"
#include "socketio/socket.h"
#include "unit/hub/test_access.h"
#include "unit/ws/event_log.h"
#include "ws/frame.h"

namespace kilat::socketio::testing {

using Log = std::vector<std::string>;

inline constexpr uint64_t kStartMs = 600'000;
inline constexpr uint32_t kMask = 0x37fa213d;
inline constexpr hub::Format kReaderFormat = 0;  ///< of readers of another protocol

inline hub::AppSettings app_settings() {
  hub::AppSettings app;
  app.id = "3";
  app.key = "278d425bdf160c739803";
  app.secret = "7ad3773142a6692b25b8";
  app.client_events = true;
  app.socketio = true;
  return app;
}
inline hub::AppSettings other_app_settings() {
  hub::AppSettings app = app_settings();
  app.id = "4";
  app.key = "other-key";
  return app;
}

inline Options options_for_tests() {
  Options options;
  options.namespaces = {{.name = "/", .app = 0, .scope = ""},
                        {.name = "/custom", .app = 0, .scope = "custom:"},
                        {.name = "/plain", .app = 0, .scope = ""},
                        {.name = "/shop", .app = 1, .scope = "shop."}};
  return options;
}

/// `signed_text` as the customer's backend signs it: KEY:HEX.
inline std::string sign(std::string_view signed_text) {
  const hub::AppSettings app = app_settings();
  return app.key + ":" + auth::hmac_sha256_hex(app.secret, signed_text);
}

/// A request as it is parsed from the wire.
class WireRequest {
 public:
  WireRequest(std::string_view method, std::string_view target, std::string_view body, std::string_view headers) {
    std::string bytes = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n";
    bytes += headers;
    if (!body.empty()) bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    bytes += "\r\n" + std::string(body);
    std::span<const char> in(bytes);
    if (parser_.feed(in) != http::Status::kComplete) std::abort();
  }
  const http::Request& get() const { return parser_.request(); }

 private:
  http::RequestParser parser_{{.header_bytes_max = 1 << 20, .body_bytes_max = 1 << 24}};
};

/// A reader of channels that speaks no Socket.IO: gets every event as one JSON object.
class Reader final : public hub::Subscriber {
 public:
  Reader(hub::SocketId id, net::OutboxPool& pool) : Subscriber(0, id, kReaderFormat, box_), box_(pool) {}
  Log read() {
    std::vector<net::Frame*> frames(box_.frames());
    box_.peek(frames);
    Log texts;
    for (net::Frame* frame : frames) texts.emplace_back(frame->bytes());
    box_.consume(box_.bytes());
    return texts;
  }
  std::optional<Reason> kicked;

 private:
  net::Outbox box_;
};

/// What a Reader gets.
inline std::string reader_text(std::string_view channel, std::string_view event, std::string_view data) {
  return R"({"event":)" + json_string(event) + R"(,"channel":)" + json_string(channel) + R"(,"data":)" +
         std::string(data.empty() ? "null" : data) + "}";
}

/// One shard: hands on as the server's own sink does, and is the host of its Socket.IO.
class TestShard final : public hub::Sink, private Host {
 public:
  TestShard(hub::AppTable& apps, net::MailGrid<hub::Command>& grid, uint32_t index, const Options& options,
            const net::OutboxLimits& limits, int& admitted)
      : mailbox(grid, index, nullptr),
        hub(apps, mailbox, *this, wheel),
        rights(apps),
        admitted_(admitted),
        sio(apps, hub, wheel, rights.access, static_cast<Host&>(*this), limits, options) {
    set_now(kStartMs);
  }
  void set_now(uint64_t now_ms) {
    hub.set_now(now_ms, now_ms);
    sio.now_ms = now_ms;
    sio.now_unix_s = now_ms / 1'000;
    sio.pool.set_now_us(now_ms * 1'000);
  }

  net::FramePtr encode(const hub::Publication& publication, hub::Format format) override {
    if (format == kSharedFormat) return sio.encoder.frame(publication, sio.options.namespaces.front());
    return net::FramePtr::make(reader_text(publication.channel(), publication.event(), publication.data()));
  }
  bool shared(hub::Format format) const override { return format != kOwnFormat; }
  void deliver_own(hub::Subscriber& subscriber, const hub::Publication& publication) override {
    static_cast<Socket&>(subscriber).deliver_own(publication);
  }
  void on_missed(hub::Subscriber& subscriber, std::string_view channel, uint64_t count) override {
    if (is_socket(subscriber)) static_cast<Socket&>(subscriber).on_missed(channel, count);
  }
  void on_joined(hub::Subscriber& subscriber, const hub::JoinReply& reply) override {
    if (is_socket(subscriber)) static_cast<Socket&>(subscriber).on_joined(reply);
  }
  void on_user_status(hub::Subscriber&, const hub::UserStatus&) override {}
  void on_kick(hub::Subscriber& subscriber, Reason reason) override {
    if (is_socket(subscriber)) return static_cast<Socket&>(subscriber).on_kick(reason);
    static_cast<Reader&>(subscriber).kicked = reason;
  }
  void on_published(hub::RequestId request, const hub::PublishReply& reply) override {
    if (Publishes::is_own(request)) sio.publishes.on_published(request, reply);
  }
  void on_answer(hub::RequestId, hub::QueryReply) override {}
  void on_letter(hub::ShardIndex from, std::unique_ptr<hub::Letter> letter) override {
    sio.on_letter(from, std::move(letter));
  }
  void on_tap(const hub::Publication&) override {}

  TimerWheel wheel{kStartMs};
  net::Mailbox<hub::Command> mailbox;
  hub::ShardHub hub;
  hub::testing::TestAccess rights;
  std::map<uint64_t, http::Response> answers;  ///< by ticket
  Reason admits = Reason::kNone;               ///< what admit() says

 private:
  int& admitted_;  ///< of all shards

 public:
  Shard sio;

 private:
  void answer(uint64_t ticket, const http::Response& response) override {
    if (!answers.emplace(ticket, response).second) std::abort();  // nobody is answered twice
  }
  void refuse(uint64_t ticket, Reason reason) override {
    const ReasonRow& row = reason_row(reason);
    answer(ticket, {.status = row.http_status, .content_type = "application/json", .body = std::string(row.id)});
  }
  Reason admit(hub::App&) override {
    if (admits == Reason::kNone) ++admitted_;
    return admits;
  }
  void release(hub::App&) override {
    if (--admitted_ < 0) std::abort();
  }
  void note_end(const ClientInfo&, const hub::App&, Reason) override {}
  hub::ShardIndex shards() const override { return hub.shards(); }
  uint32_t place() const override { return hub.shard() + 1; }
};

class World;

/// A client over a WebSocket: the connection below its link and its reader in one.
class Client final : private LinkHost {
 public:
  Client(World& world, TestShard& shard, net::OutboxPool& pool, const LinkOptions& options)
      : world_(world),
        shard_(&shard),
        reader_(
            {.message_bytes_max = 1 << 24, .inflater = options.deflate ? &inflater_ : nullptr, .from_server = true}),
        box_(pool),
        link_(std::make_unique<Link>(shard.sio, options, box_, static_cast<LinkHost&>(*this))) {}

  /// Bytes as they come from the network.
  void feed(std::string_view bytes) {
    if (!link_) return;
    if (moving_) return static_cast<void>(rest_ += bytes);
    ws::PaddedBytes padded(bytes);
    link_->on_bytes(padded.span());
  }
  /// One message; then everything between the shards happens.
  void say(std::string_view text);
  void say_binary(std::string_view bytes);
  /// Joins a namespace; what was read is its answer.
  Log connect(std::string_view nsp = "/", std::string_view auth = {});
  /// An event, with an acknowledgement asked for; returns what was read.
  Log ask(std::string_view event, std::string_view argument, std::string_view nsp = "/");
  Log subscribe(std::string_view room, std::string_view nsp = "/") { return ask("subscribe", json_string(room), nsp); }
  Log subscribe_signed(std::string_view room, std::string_view nsp = "/") {
    return ask("subscribe",
               R"({"channel":)" + json_string(room) + R"(,"auth":)" +
                   json_string(sign(id(nsp) + ":" + std::string(room))) + "}",
               nsp);
  }
  Log subscribe_presence(std::string_view room, std::string_view data, std::string_view nsp = "/") {
    const std::string auth = sign(id(nsp) + ":" + std::string(room) + ":" + std::string(data));
    return ask("subscribe",
               R"({"channel":)" + json_string(room) + R"(,"auth":)" + json_string(auth) + R"(,"channel_data":)" +
                   json_string(data) + "}",
               nsp);
  }
  Log sign_in(std::string_view user_data) {
    const std::string auth = sign(id() + "::user::" + std::string(user_data));
    return ask("signin", R"({"auth":)" + json_string(auth) + R"(,"user_data":)" + json_string(user_data) + "}");
  }
  Log publish(std::string_view room, std::string_view event, std::string_view data, std::string_view nsp = "/") {
    return ask("publish",
               R"({"channel":)" + json_string(room) + R"(,"event":)" + json_string(event) + R"(,"data":)" +
                   std::string(data) + "}",
               nsp);
  }

  std::string take_bytes() {
    std::vector<net::Frame*> frames(box_.frames());
    box_.peek(frames);
    std::string bytes;
    for (net::Frame* frame : frames) bytes += frame->bytes();
    box_.consume(box_.bytes());
    return bytes;
  }
  /// What was queued since the last call: texts as they are, binary as `b` and base64, the rest in angle brackets.
  Log read() {
    ws::EventLog events;
    ws::feed(reader_, take_bytes(), events);
    Log log;
    for (const ws::LoggedEvent& event : events) log.push_back(written(event));
    return log;
  }

  /// The connection is lost without a word.
  void drop() {
    arrive();
    link_.reset();
  }

  Link& link() { return *link_; }
  TestShard& shard() { return *shard_; }
  /// Its connection can't go to another shard.
  void pin() { pinned_ = true; }
  /// Goes to where its session went; true when there was anything to do.
  bool arrive();
  bool gone() const { return link_ == nullptr; }
  std::optional<Reason> finished() const { return finished_; }
  /// Of its socket in a namespace; empty without one.
  std::string id(std::string_view nsp = "/") const {
    const Socket* found = socket(nsp);
    return found != nullptr ? found->id() : std::string();
  }
  Socket* socket(std::string_view nsp = "/") const {
    return link_ && link_->session() != nullptr ? link_->session()->find(nsp) : nullptr;
  }

 private:
  void finish(Reason reason) override {
    if (finished_) std::abort();  // a link ends once
    finished_ = reason;
    box_.seal();
  }
  bool movable() override { return !pinned_; }
  void move(Move&& move) override {
    if (moving_ || finished_) std::abort();
    rest_ = move.rest;
    moving_ = std::move(move);
  }
  static std::string written(const ws::LoggedEvent& event) {
    switch (event.kind) {
      case ws::Event::Kind::kText: return event.payload;
      case ws::Event::Kind::kBinary: {
        std::string text = "b";
        append_base64(text, event.payload);
        return text;
      }
      case ws::Event::Kind::kPing: return "<ping " + event.payload + ">";
      case ws::Event::Kind::kPong: return "<pong " + event.payload + ">";
      case ws::Event::Kind::kClose: return "<close " + std::to_string(event.close_code) + ">";
      default: return "<broken " + std::string(reason_row(event.reason).id) + ">";
    }
  }

  World& world_;
  TestShard* shard_;
  ws::Inflater inflater_;
  ws::Reader reader_;
  net::Outbox box_;
  std::optional<Reason> finished_;
  std::optional<Move> moving_;
  std::string rest_;  ///< input that goes with it
  bool pinned_ = false;
  int last_ack_ = 0;
  std::unique_ptr<Link> link_;
};

class World {
 public:
  struct Setup {
    Options options = options_for_tests();
    hub::AppSettings app = app_settings();
    net::OutboxLimits limits = {.hard_bytes = 1 << 26};
  };

  explicit World(hub::ShardIndex shards = 1) : World(shards, Setup{}) {}
  World(hub::ShardIndex shards, const Setup& setup)
      : apps_({setup.app, other_app_settings()}), grid_(shards, 4'096), pool_({.hard_bytes = UINT32_MAX}) {
    for (uint32_t i = 0; i < shards; ++i) {
      shards_.push_back(std::make_unique<TestShard>(apps_, grid_, i, setup.options, setup.limits, admitted_));
    }
  }
  ~World() {
    // Leaving reaches the other shards, so these must still be there.
    for (const auto& client : clients_) client->drop();
    for (const auto& [shard, reader] : readers_) shard->hub.remove(*reader);
    pump();
    clients_.clear();
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  hub::ShardIndex size() const { return static_cast<hub::ShardIndex>(shards_.size()); }
  /// `name`, with more behind it so that its home is shard `home`.
  std::string name_at(hub::ShardIndex home, std::string name) const {
    while (hub::home_of(0, name, size()) != home) name += 'x';
    return name;
  }
  TestShard& shard(uint32_t index) { return *shards_[index % size()]; }
  hub::App& app() { return apps_[0]; }
  uint64_t now_ms() const { return now_ms_; }

  // --- WebSockets
  /// A new session; the handshake is not yet read. `query`: more parameters.
  Client& open(uint32_t at = 0, std::string_view query = {}, const LinkOptions& link = {}, bool echo = false,
               FirstRequestPtr first = nullptr) {
    const WireRequest request("GET", "/socket.io/?EIO=4&transport=websocket" + std::string(query), {}, {});
    const Shard::Upgrade upgrade = shard(at).sio.check_upgrade(request.get());
    if (upgrade.refused != Reason::kNone || !upgrade.sid.empty()) std::abort();
    Client& client = add(shard(at), link);
    hub::App* app = nullptr;
    if (shard(at).sio.admit(app) != Reason::kNone) std::abort();
    Admitted place(shard(at).sio.host, *app);
    const ClientInfo info{.address = "192.0.2.7", .secure = false, .credentials = nullptr, .request = std::move(first)};
    shard(at).sio.open(client.link(), place, info, upgrade.text_only, echo);
    return client;
  }
  /// The same in a namespace, with everything read.
  Client& join(uint32_t at = 0, std::string_view nsp = "/", const LinkOptions& link = {}) {
    Client& client = open(at, {}, link);
    client.connect(nsp);
    return client;
  }
  /// A WebSocket for a session that exists, on whose shard it is; null when there is no such session.
  Client* open_upgrade(std::string_view sid, uint32_t at = 0) {
    const WireRequest request("GET", "/socket.io/?EIO=4&transport=websocket&sid=" + std::string(sid), {}, {});
    const Shard::Upgrade upgrade = shard(at).sio.check_upgrade(request.get());
    if (upgrade.refused != Reason::kNone || !shard(upgrade.shard).sio.knows(upgrade.sid)) return nullptr;
    Client& client = add(shard(upgrade.shard), {});
    shard(upgrade.shard).sio.probe(upgrade.sid, client.link(), false);
    pump();
    return &client;
  }

  // --- HTTP
  struct Sent {
    uint32_t at;
    uint64_t ticket;
    std::string sid;
  };
  /// A request to the path of Socket.IO that arrives at one shard.
  Sent send(uint32_t at, std::string_view method, std::string_view query, std::string_view body = {},
            std::string_view headers = {}, bool draining = false, bool echo = false) {
    const WireRequest request(method, "/socket.io/?" + std::string(query), body, headers);
    Sent sent{at, ++last_ticket_, {}};
    const ClientInfo client{.address = "192.0.2.8", .secure = true};
    const std::optional<http::Response> now = shard(at).sio.handle(
        request.get(),
        {.client = [&client] { return client; }, .ticket = sent.ticket, .draining = draining, .echo = echo}, sent.sid);
    if (now) shard(at).answers.emplace(sent.ticket, *now);
    pump();
    return sent;
  }
  /// Takes the answer, if it is there.
  std::optional<http::Response> answer(const Sent& sent) {
    const auto found = shard(sent.at).answers.find(sent.ticket);
    if (found == shard(sent.at).answers.end()) return std::nullopt;
    http::Response response = std::move(found->second);
    shard(sent.at).answers.erase(found);
    return response;
  }
  /// The same in words: a body, `<status body>` for all but 200, `<waiting>`.
  std::string answer_text(const Sent& sent) {
    const std::optional<http::Response> response = answer(sent);
    if (!response) return "<waiting>";
    if (response->status == 200) return response->body;
    return "<" + std::to_string(response->status) + (response->body.empty() ? "" : " " + response->body) + ">";
  }
  /// The client of a request has gone; or the server drains.
  void lose(const Sent& sent, bool draining = false) {
    shard(sent.at).sio.on_gone(sent.sid, sent.ticket, draining);
    pump();
  }

  // --- the backend
  /// A request to the emit API: the answer, `<refused id>`, or `<waiting>`; then see last_call().
  std::string call(uint32_t at, std::string_view method, std::string_view action, std::string_view body = {},
                   hub::AppIndex app = 0) {
    const WireRequest request(method, "/apps/x/socketio/" + std::string(action), body, {});
    last_call_ = {at, ++last_ticket_, {}};
    const EmitOutcome outcome =
        shard(at).sio.emitter->handle(request.get(), action.substr(0, action.find('?')), apps_[app], last_call_.ticket);
    pump();
    if (outcome.refused != Reason::kNone) return "<refused " + std::string(reason_row(outcome.refused).id) + ">";
    return outcome.json ? *outcome.json : answer_text(last_call_);
  }
  std::string post(std::string_view action, std::string_view body) { return call(0, "POST", action, body); }
  const Sent& last_call() const { return last_call_; }

  /// Publishes as the HTTP API of Pusher does. `data` is JSON text.
  void publish(std::string_view channel, std::string_view event, std::string_view data, hub::SocketId exclude = {},
               hub::AppIndex app = 0) {
    shards_[0]->hub.publish(
        hub::Publication::make({.app = app, .channel = channel, .event = event, .data = data, .exclude = exclude}));
    pump();
  }
  void kick(std::string_view user) {
    const std::string channel = std::string(hub::kUserChannelPrefix) + std::string(user);
    shards_[0]->hub.publish(hub::Publication::make(
        {.kind = hub::Publication::Kind::kKick, .reason = Reason::kTerminatedByApi, .channel = channel}));
    pump();
  }

  /// A reader that speaks no Socket.IO.
  Reader& reader(uint32_t at, std::string_view channel) {
    readers_.emplace_back(&shard(at), std::make_unique<Reader>(hub::SocketId{at % size() + 1, ++last_id_}, pool_));
    Reader& reader = *readers_.back().second;
    shard(at).hub.add(reader);
    shard(at).hub.join(reader, channel);
    pump();
    return reader;
  }

  // --- the loop
  /// Moves messages between the shards until there are none; then the turn ends.
  void pump() {
    for (int round = 0; round < 2; ++round) {
      for (bool moved = true; moved;) {
        moved = false;
        for (const auto& shard : shards_) shard->hub.let_join();
        for (const auto& shard : shards_) shard->mailbox.deliver();
        for (const auto& shard : shards_) {
          moved |= shard->mailbox.drain(SIZE_MAX,
                                        [&](hub::Command&& command) { shard->hub.receive(std::move(command)); }) > 0;
        }
        for (const auto& client : clients_) moved |= client->arrive();
      }
      for (const auto& shard : shards_) {
        shard->hub.catch_up();
        shard->hub.finish_turn();
        shard->sio.finish_turn();
      }
    }
  }
  /// Lets time go by, with a turn of the loop at its end.
  void pass(uint64_t ms) {
    pump();
    now_ms_ += ms;
    for (const auto& shard : shards_) {
      shard->set_now(now_ms_);
      shard->wheel.advance(now_ms_);
    }
    pump();
  }

  size_t sessions() const {
    size_t count = 0;
    for (const auto& shard : shards_) count += shard->sio.session_count();
    return count;
  }
  /// Sockets of all namespaces, those that wait to be recovered included.
  size_t sockets() const {
    size_t count = 0;
    for (const auto& shard : shards_) {
      for (const Namespace& nsp : shard->sio.options.namespaces) count += shard->sio.sockets(nsp).size();
    }
    return count;
  }
  /// Places in the quota that are taken.
  int admitted() const { return admitted_; }
  size_t channels_left() const {
    size_t count = 0;
    for (const auto& shard : shards_) count += shard->hub.home().channel_count() + shard->hub.local().channel_count();
    return count;
  }

 private:
  Client& add(TestShard& shard, const LinkOptions& options) {
    clients_.push_back(std::make_unique<Client>(*this, shard, pool_, options));
    return *clients_.back();
  }

  hub::AppTable apps_;
  net::MailGrid<hub::Command> grid_;
  net::OutboxPool pool_;
  int admitted_ = 0;
  std::vector<std::unique_ptr<TestShard>> shards_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<std::pair<TestShard*, std::unique_ptr<Reader>>> readers_;
  uint64_t now_ms_ = kStartMs;
  uint64_t last_id_ = 0;
  uint64_t last_ticket_ = 0;
  Sent last_call_{};
};

// As the server's connection does.
inline bool Client::arrive() {
  if (!moving_) return false;
  Move move = std::move(*std::exchange(moving_, std::nullopt));
  shard_ = &world_.shard(move.shard);
  link_ =
      std::make_unique<Link>(shard_->sio, LinkOptions{.deflate = move.deflate}, box_, static_cast<LinkHost&>(*this));
  if (move.state) {
    shard_->sio.adopt(std::move(*move.state), link_.get());
  } else if (shard_->sio.knows(move.sid)) {
    shard_->sio.probe(move.sid, *link_, move.probed);
  } else {
    link_->close(Reason::kEioSessionUnknown);
  }
  feed(std::exchange(rest_, {}));
  return true;
}

inline void Client::say(std::string_view text) {
  feed(ws::encode_masked_frame(ws::Opcode::kText, text, kMask));
  world_.pump();
}

inline void Client::say_binary(std::string_view bytes) {
  feed(ws::encode_masked_frame(ws::Opcode::kBinary, bytes, kMask));
  world_.pump();
}

inline Log Client::connect(std::string_view nsp, std::string_view auth) {
  read();
  say("40" + (nsp == "/" ? std::string() : std::string(nsp) + ",") + std::string(auth));
  return read();
}

inline Log Client::ask(std::string_view event, std::string_view argument, std::string_view nsp) {
  say("42" + (nsp == "/" ? std::string() : std::string(nsp) + ",") + std::to_string(++last_ack_) + "[" +
      json_string(event) + (argument.empty() ? "" : ",") + std::string(argument) + "]");
  return read();
}

/// The answer to a request that was refused by a row of the table.
inline std::string refusal(Reason reason) {
  const ReasonRow& row = reason_row(reason);
  return R"({"ok":false,"error":")" + std::string(row.id) + R"(","message":)" + json_string(row.text) + "}";
}

}  // namespace kilat::socketio::testing
