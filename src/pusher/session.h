// Session: one Pusher connection after its WebSocket handshake: bytes in, frames on the outbox out, no I/O.
// Owner: one shard; lives as long as its connection. Shard: what all sessions of a shard share.
// Bounds: the app's settings and the shard's limits; an idle session holds no buffer.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/credentials.h"
#include "auth/token_clock.h"
#include "base/allowance.h"
#include "base/random.h"
#include "base/timer_wheel.h"
#include "flow/event_data.h"
#include "hub/access.h"
#include "hub/shard_hub.h"
#include "pusher/encode.h"
#include "pusher/folded.h"
#include "pusher/message.h"
#include "ws/deflate.h"
#include "ws/reader.h"

namespace kilat::pusher {

class Handlers;

/// The transport below a session.
class SessionHost {
 public:
  /// The last frame is queued: send it, then close. Called once.
  virtual void finish(Reason reason) = 0;

 protected:
  ~SessionHost() = default;
};

struct ShardLimits {
  uint32_t message_bytes_max = 128 * 1024;
  uint32_t malformed_per_minute = 10;
  bool strict_channel_names = false;
};

/// What one shard counts of one app's sessions, for metrics.
struct Tally {
  static constexpr size_t kKinds = static_cast<size_t>(ClientMessage::Kind::kUnsupported) + 2;  ///< and malformed
  uint64_t opened = 0;
  uint64_t closed = 0;
  uint64_t received_bytes = 0;
  std::array<uint64_t, kKinds> received{};  ///< by ClientMessage::Kind; the last: malformed
};

/// Services of one shard. Everything is reused by all its sessions.
struct Shard {
  Shard(hub::AppTable& apps_in, hub::ShardHub& hub_in, TimerWheel& wheel_in, hub::Access& access_in,
        const ShardLimits& limits_in);

  /// The table of apps, or a setting of an app, has changed.
  void apps_changed();

  hub::AppTable& apps;
  hub::ShardHub& hub;
  Handlers* handlers = nullptr;  ///< of the program that has Kilat inside; null: there is none
  TimerWheel& wheel;
  hub::Access& access;
  ShardLimits limits;
  uint64_t now_ms = 0;      ///< monotonic, set once a turn
  uint64_t now_unix_s = 0;  ///< wall clock, set once a turn
  Random random;
  MessageParser parser;
  PublicationEncoder encoder;
  flow::EventData flow_data;   ///< for the channels that clients have folded
  ws::Inflater inflater;       ///< for connections without client context takeover
  std::vector<Tally> tallies;  ///< by app
  std::array<uint64_t, static_cast<size_t>(Reason::kCount)> refusals{};  ///< of messages
};

struct SessionOptions {
  int protocol = 7;
  hub::SocketId socket_id;
  hub::Format format = 0;
  bool client_takeover = false;  ///< permessage-deflate: the client's messages refer to each other
  bool deflate = false;          ///< permessage-deflate was negotiated
  bool server_takeover = false;  ///< kOwnFormat: the compressor keeps its context between events
  uint8_t server_window_bits = 15;
  auth::CredentialsPtr credentials = nullptr;  ///< what the client has shown; may be null
};

class Session final : public hub::Subscriber, private Timer {
 public:
  Session(Shard& shard, hub::App& app, const SessionOptions& options, net::Outbox& outbox, SessionHost& host);
  ~Session();

  /// Sends `pusher:connection_established` and starts the timers. Once, first.
  void open();

  /// Bytes from the client; changed in place, 64 readable bytes follow.
  void on_bytes(std::span<char> bytes);

  /// The connection is gone, or will be; leaves all channels. Safe to call again.
  void retire();

  /// An event of a channel, to this client alone.
  void send_event(const hub::Publication& publication);
  /// The same, unless the client is behind and the event has to wait.
  void offer_event(const hub::Publication& publication) {
    if (!shard_.hub.local().hold(*this, publication)) send_event(publication);
  }
  Shard& shard() { return shard_; }

  // From the hub, through the shard's sink.
  void on_joined(const hub::JoinReply& reply);
  void on_user_status(const hub::UserStatus& status);
  void deliver_own(const hub::Publication& publication);
  void on_missed(std::string_view channel, uint64_t count);

  /// Sends the error and the close frame of the row, then has the host close.
  void close(Reason reason);
  /// For a reader that does not read: takes no further part; the host sends closing_frames() itself.
  void close_silently() {
    closing_ = true;
    retire();
    reader_.stop();
  }

  /// Heap bytes of an unfinished message.
  size_t buffered() const { return reader_.buffered(); }

  bool closing() const { return closing_; }
  /// Who is signed in; empty: nobody.
  std::string_view user_id() const { return who() != nullptr ? std::string_view(who()->user_id) : std::string_view(); }

 private:
  struct User {
    auth::IdentityPtr who;
    auth::TokenClock clock;
    std::vector<std::pair<std::string, bool>> watchlist;  ///< user id, online
    size_t statuses_awaited = 0;
    std::string user_data;           ///< to be echoed; emptied by it
    std::vector<std::string> watch;  ///< the watchlist until it is started
    bool welcomed = false;           ///< the home of the user channel knows this connection, and the client was told
    bool channel_asked = false;      ///< the client subscribed to its user channel before that
  };

  /// What a sign-in brings beside the user.
  struct SignIn {
    std::string user_data;  ///< to be echoed; empty: made from the token
    std::vector<std::string> watchlist;
  };

  /// A channel that the client will be in if the backend says so.
  struct Asking {
    std::string channel;
    Wishes wishes;
  };

  /// What few sessions have, or only for moments: an idle one is to be small.
  struct Rare {
    std::unique_ptr<ws::Inflater> inflater;
    std::unique_ptr<ws::Deflater> deflater;
    std::unique_ptr<User> user;
    auth::CredentialsPtr credentials;
    std::unique_ptr<FoldedChannels> folded;
    std::vector<Asking> asking;  ///< about which the backend is asked
    uint64_t tokens_at_ms = 0;   ///< when event_tokens was counted; 0: not yet
    float event_tokens = 0;
    uint32_t malformed_minute = 0;
    uint32_t malformed = 0;
  };
  static std::unique_ptr<Rare> rare_of(const SessionOptions& options);
  Rare& rare() {
    if (!rare_) rare_ = std::make_unique<Rare>();
    return *rare_;
  }
  User* user() const { return rare_ ? rare_->user.get() : nullptr; }
  ws::Deflater* deflater() const { return rare_ ? rare_->deflater.get() : nullptr; }

  static void on_timer(Timer& timer);
  void check_deadlines();
  void schedule();
  uint64_t idle_ms() const;
  void heard() {
    last_heard_ms_ = shard_.now_ms;
    if (std::exchange(pinged_after_ms_, 0) != 0) schedule();
  }

  void on_event(const ws::Event& event);
  void on_text(std::string_view text);
  void on_malformed();
  void on_close_frame(const ws::Event& event);

  // subscribe.cc
  void subscribe(const ClientMessage& message);
  void unsubscribe(const ClientMessage& message);
  void subscribe_user_channel(const ClientMessage& message);
  void ask_backend(std::string_view channel, const Wishes& wishes);
  void on_backend_answer(const std::string& channel, const auth::BackendAnswer& answer);
  void join(std::string_view channel, hub::Entry entry, const Wishes& wishes);
  bool fold(std::string_view channel, const std::string& rule);
  void drop_fold(std::string_view channel);
  void refuse_flow(std::string_view channel);
  Reason check_signature(const ClientMessage& message);
  Reason read_member(const ClientMessage& message, hub::Member& member);
  void refuse_subscription(Reason reason, std::string_view channel);

  // client_event.cc
  void client_event(const ClientMessage& message);
  Reason check_client_event(const ClientMessage& message);
  bool take_event_token();

  // signin.cc
  void sign_in(const ClientMessage& message);
  void sign_in_with(std::string_view token, SignIn sign_in);
  void on_identified(const auth::Authenticator::Outcome& who, SignIn sign_in);
  void become(auth::IdentityPtr who, SignIn sign_in);
  void review_rights();
  bool check_token();
  void welcome_user();
  void start_watching(const std::vector<std::string>& watchlist);

  void send(net::FramePtr frame) { outbox().push(std::move(frame)); }
  void refuse(Reason reason, std::string_view detail = {}, std::string_view channel = {});
  void note_refusal(Reason reason, std::string_view channel) const;
  bool signed_by_app(std::string_view text, std::string_view signature) {
    return shard_.access.key(app_.index).verify(text, signature, shard_.now_unix_s);
  }
  const hub::AppSettings& settings() const { return app_.settings; }
  /// Null when nobody is signed in.
  const auth::Identity* who() const { return user() != nullptr ? user()->who.get() : nullptr; }
  /// The session with this handle, if it is still there: for answers that come later.
  static Session* resolve(Shard& shard, hub::Handle handle);

  Shard& shard_;
  hub::App& app_;
  SessionHost& host_;
  std::unique_ptr<Rare> rare_;  ///< null: nothing of it
  ws::Reader reader_;
  Allowance messages_;
  Allowance bytes_;
  uint64_t opened_ms_ = 0;
  uint64_t last_heard_ms_ = 0;
  uint32_t pinged_after_ms_ = 0;  ///< after last_heard_ms_; 0: no answer is awaited
  bool control_ping_ : 1;         ///< the client answers WebSocket pings
  bool authorized_ : 1 = false;   ///< signed in, or let into a channel that needs a signature
  bool identifying_ : 1 = false;  ///< a token is looked at
  bool closing_ : 1 = false;
  bool retired_ : 1 = false;
};

static_assert(sizeof(Session) <= 264, "every idle connection has one");

}  // namespace kilat::pusher
