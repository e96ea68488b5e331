// Whole Pusher conversations without a socket: real hub, real sessions, real timers on any number of shards, with a
// virtual clock; what a client reads is decoded from its outbox by a WebSocket reader. No test framework is needed, so
// fuzz targets use it too. One thread; messages between shards move in World::pump.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/hmac.h"
#include "base/json_text.h"
#include "base/timer_wheel.h"
#include "hub/shard_hub.h"
#include "pusher/encode.h"
#include "pusher/formats.h"
#include "pusher/session.h"
#include "unit/hub/test_access.h"
#include "unit/ws/event_log.h"
#include "ws/frame.h"

namespace kilat::pusher::testing {

using Log = std::vector<std::string>;

inline constexpr uint64_t kStartMs = 600'000;
inline constexpr uint32_t kMask = 0x37fa213d;

/// Encodes and hands on as the server's own sink does.
class SessionSink final : public hub::Sink {
 public:
  net::FramePtr encode(const hub::Publication& publication, hub::Format format) override {
    const bool deflated = format == kDeflatedFormat || format == kDeflatedOffsetFormat;
    const bool offset = format == kTextOffsetFormat || format == kDeflatedOffsetFormat;
    return encoder_.frame(publication, deflated ? &deflater_ : nullptr, offset);
  }
  bool shared(hub::Format format) const override { return format != kOwnFormat; }
  void deliver_own(hub::Subscriber& subscriber, const hub::Publication& publication) override {
    session(subscriber).deliver_own(publication);
  }
  void deliver_folded(hub::Subscriber& subscriber, const hub::Publication& publication) override {
    session(subscriber).send_event(publication);
  }
  void on_missed(hub::Subscriber& subscriber, std::string_view channel, uint64_t count) override {
    session(subscriber).on_missed(channel, count);
  }
  void on_joined(hub::Subscriber& subscriber, const hub::JoinReply& reply) override {
    session(subscriber).on_joined(reply);
  }
  void on_user_status(hub::Subscriber& subscriber, const hub::UserStatus& status) override {
    session(subscriber).on_user_status(status);
  }
  void on_kick(hub::Subscriber& subscriber, Reason reason) override { session(subscriber).close(reason); }
  void on_published(hub::RequestId, const hub::PublishReply&) override {}
  void on_answer(hub::RequestId, hub::QueryReply) override {}
  void on_letter(hub::ShardIndex, std::unique_ptr<hub::Letter>) override {}
  void on_tap(const hub::Publication&) override {}

 private:
  static Session& session(hub::Subscriber& subscriber) { return static_cast<Session&>(subscriber); }
  PublicationEncoder encoder_;
  ws::Deflater deflater_;
};

struct TestShard {
  TestShard(hub::AppTable& apps, net::MailGrid<hub::Command>& grid, uint32_t index, const ShardLimits& limits)
      : mailbox(grid, index, nullptr),
        hub(apps, mailbox, sink, wheel),
        rights(apps),
        pusher(apps, hub, wheel, rights.access, limits) {
    set_now(kStartMs);
  }
  void set_now(uint64_t now_ms) {
    hub.set_now(now_ms, now_ms);
    pusher.now_ms = now_ms;
  }
  TimerWheel wheel{kStartMs};
  net::Mailbox<hub::Command> mailbox;
  SessionSink sink;
  hub::ShardHub hub;
  hub::testing::TestAccess rights;
  Shard pusher;
};

inline hub::AppSettings app_settings() {
  hub::AppSettings app;
  app.id = "3";
  app.key = "278d425bdf160c739803";
  app.secret = "7ad3773142a6692b25b8";
  app.client_events = true;
  return app;
}

/// `signed_text` as the customer's backend signs it: KEY:HEX.
inline std::string sign(std::string_view signed_text) {
  const hub::AppSettings app = app_settings();
  return app.key + ":" + auth::hmac_sha256_hex(app.secret, signed_text);
}

class World;

/// One connection. Its host and its reader in one.
class Client final : public SessionHost {
 public:
  Client(World& world, TestShard& shard, hub::App& app, const SessionOptions& options, net::OutboxPool& pool)
      : world_(world),
        shard_(shard),
        inflater_(ws::kWindowBitsMax, options.server_takeover),
        reader_(reader_options(options)),
        box_(pool),
        session_(shard.pusher, app, options, box_, *this) {
    session_.open();
  }

  void finish(Reason reason) override {
    if (finished_) std::abort();  // a session ends once
    finished_ = reason;
    box_.seal();
  }

  /// Bytes as they come from the network.
  void feed(std::string_view bytes) {
    ws::PaddedBytes padded(bytes);
    session_.on_bytes(padded.span());
  }
  /// A text message; then everything between the shards happens.
  void say(std::string_view text);
  void subscribe(std::string_view channel);
  void subscribe(std::string_view channel, std::string_view auth,
                 std::optional<std::string_view> channel_data = std::nullopt);
  void subscribe_private(std::string_view channel) { subscribe(channel, sign(id() + ":" + std::string(channel))); }
  void subscribe_presence(std::string_view channel, std::string_view channel_data) {
    subscribe(channel, sign(id() + ":" + std::string(channel) + ":" + std::string(channel_data)), channel_data);
  }
  void unsubscribe(std::string_view channel) {
    say(R"({"event":"pusher:unsubscribe","data":{"channel":)" + json_string(channel) + "}}");
  }
  void sign_in(std::string_view user_data) { sign_in(user_data, sign(id() + "::user::" + std::string(user_data))); }
  void sign_in(std::string_view user_data, std::string_view auth) {
    say(R"({"event":"pusher:signin","data":{"auth":)" + json_string(auth) + R"(,"user_data":)" +
        json_string(user_data) + "}}");
  }

  /// Takes everything that was queued since the last call, as bytes.
  std::string take_bytes() {
    std::vector<net::Frame*> frames(box_.frames());
    box_.peek(frames);
    std::string bytes;
    for (net::Frame* frame : frames) bytes += frame->bytes();
    box_.consume(box_.bytes());
    return bytes;
  }
  /// The same decoded: texts as they are, everything else in angle brackets.
  Log read() {
    ws::EventLog events;
    ws::feed(reader_, take_bytes(), events);
    Log log;
    for (const ws::LoggedEvent& event : events) log.push_back(written(event));
    return log;
  }

  /// The connection is lost without a word.
  void drop() { session_.retire(); }

  std::string id() const { return session_.socket_id().text(); }
  Session& session() { return session_; }
  TestShard& shard() { return shard_; }
  std::optional<Reason> finished() const { return finished_; }

 private:
  ws::ReaderOptions reader_options(const SessionOptions& options) {
    return {.message_bytes_max = 1 << 24, .inflater = options.deflate ? &inflater_ : nullptr, .from_server = true};
  }
  static std::string written(const ws::LoggedEvent& event) {
    switch (event.kind) {
      case ws::Event::Kind::kText: return event.payload;
      case ws::Event::Kind::kPing: return "<ping " + event.payload + ">";
      case ws::Event::Kind::kPong: return "<pong " + event.payload + ">";
      case ws::Event::Kind::kClose: return "<close " + std::to_string(event.close_code) + " " + event.payload + ">";
      default: return "<broken " + std::string(reason_row(event.reason).id) + ">";
    }
  }

  World& world_;
  TestShard& shard_;
  ws::Inflater inflater_;
  ws::Reader reader_;
  net::Outbox box_;
  std::optional<Reason> finished_;
  Session session_;
};

class World {
 public:
  explicit World(hub::ShardIndex shards = 1, const hub::AppSettings& app = app_settings(),
                 const ShardLimits& limits = {}, size_t mail_slots = 4'096)
      : apps_({app}), grid_(shards, mail_slots), pool_({.hard_bytes = UINT32_MAX}) {
    for (uint32_t i = 0; i < shards; ++i) shards_.push_back(std::make_unique<TestShard>(apps_, grid_, i, limits));
  }
  ~World() {
    // Leaving reaches the other shards, so these must still be there.
    for (const auto& client : clients_) client->drop();
    pump();
    clients_.clear();
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  hub::ShardIndex size() const { return static_cast<hub::ShardIndex>(shards_.size()); }
  TestShard& shard(uint32_t index) { return *shards_[index % size()]; }
  hub::App& app() { return apps_[0]; }

  /// A new connection, `connection_established` not yet read. `at`: its shard, modulo the number of shards.
  Client& open(uint32_t at = 0, SessionOptions options = {}) {
    if (!options.socket_id) options.socket_id = {at % size() + 1, ++last_id_};
    clients_.push_back(std::make_unique<Client>(*this, shard(at), apps_[0], options, pool_));
    return *clients_.back();
  }
  /// The same, with the greeting read.
  Client& connect(uint32_t at = 0, const SessionOptions& options = {}) {
    Client& client = open(at, options);
    client.read();
    return client;
  }

  /// Publishes as the HTTP API does. `data` is JSON text.
  std::optional<hub::PublishReply> publish(std::string_view channel, std::string_view event, std::string_view data,
                                           hub::SocketId exclude = {}) {
    auto reply = shards_[0]->hub.publish(
        hub::Publication::make({.channel = channel, .event = event, .data = data, .exclude = exclude}));
    pump();
    return reply;
  }
  void kick(std::string_view user, Reason reason) {
    const std::string channel = std::string(hub::kUserChannelPrefix) + std::string(user);
    shards_[0]->hub.publish(
        hub::Publication::make({.kind = hub::Publication::Kind::kKick, .reason = reason, .channel = channel}));
    pump();
  }

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
      }
      for (const auto& shard : shards_) {
        shard->hub.catch_up();
        shard->hub.finish_turn();
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

  /// Channels that any shard still knows.
  size_t channels_left() const {
    size_t count = 0;
    for (const auto& shard : shards_) count += shard->hub.home().channel_count() + shard->hub.local().channel_count();
    return count;
  }
  size_t timers_left() const {
    size_t count = 0;
    for (const auto& shard : shards_) count += shard->wheel.size();
    return count;
  }

 private:
  hub::AppTable apps_;
  net::MailGrid<hub::Command> grid_;
  net::OutboxPool pool_;
  std::vector<std::unique_ptr<TestShard>> shards_;
  std::vector<std::unique_ptr<Client>> clients_;
  uint64_t now_ms_ = kStartMs;
  uint64_t last_id_ = 0;
};

inline void Client::say(std::string_view text) {
  feed(ws::encode_masked_frame(ws::Opcode::kText, text, kMask));
  world_.pump();
}

inline void Client::subscribe(std::string_view channel) {
  say(R"({"event":"pusher:subscribe","data":{"auth":"","channel":)" + json_string(channel) + "}}");
}

inline void Client::subscribe(std::string_view channel, std::string_view auth,
                              std::optional<std::string_view> channel_data) {
  std::string text =
      R"({"event":"pusher:subscribe","data":{"auth":)" + json_string(auth) + R"(,"channel":)" + json_string(channel);
  if (channel_data) text += R"(,"channel_data":)" + json_string(*channel_data);
  say(text + "}}");
}

// --- the texts of docs/protocol.md, as clients read them

inline std::string succeeded(std::string_view channel, std::string_view data = "{}") {
  return R"({"event":"pusher_internal:subscription_succeeded","channel":)" + json_string(channel) + R"(,"data":)" +
         json_string(data) + "}";
}

inline std::string refused(std::string_view channel, Reason reason, std::string_view type, int status) {
  const ReasonRow& row = reason_row(reason);
  return R"({"event":"pusher:subscription_error","channel":)" + json_string(channel) + R"(,"data":{"type":")" +
         std::string(type) + R"(","error":)" + json_string(row.text) + R"(,"status":)" + std::to_string(status) +
         R"(,"reason":")" + std::string(row.id) + R"("}})";
}

inline std::string error(Reason reason, std::string_view channel = {}, std::string_view detail = {}) {
  const ReasonRow& row = reason_row(reason);
  return std::string(R"({"event":"pusher:error",)") +
         (channel.empty() ? "" : R"("channel":)" + json_string(channel) + ",") + R"("data":{"code":)" +
         (row.pusher_code == kNullPusherCode ? "null" : std::to_string(row.pusher_code)) + R"(,"message":)" +
         json_string(detail.empty() ? row.text : detail) + R"(,"reason":")" + std::string(row.id) + R"("}})";
}

/// What a client reads when it is closed for `reason`.
inline Log goodbye(Reason reason) {
  const ReasonRow& row = reason_row(reason);
  Log log;
  if (row.pusher_code != kNoPusherCode) log.push_back(error(reason));
  log.push_back("<close " + std::to_string(row.close_code) + " " + std::string(row.text) + ">");
  return log;
}

inline std::string event_text(std::string_view channel, std::string_view event, std::string_view data,
                              std::string_view user_id = {}) {
  std::string text =
      R"({"event":)" + json_string(event) + R"(,"channel":)" + json_string(channel) + R"(,"data":)" + std::string(data);
  if (!user_id.empty()) text += R"(,"user_id":)" + json_string(user_id);
  return text + "}";
}

}  // namespace kilat::pusher::testing
