// Shard: what the Socket.IO sessions of one shard share: their table, their namespaces, and the talk with the Socket.IO
// side of the other shards.
// Owner: one shard's thread. A session lives on the shard that its id names; requests that arrive elsewhere are sent
// there, so nothing on the way of a message takes a lock.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/random.h"
#include "base/timer_wheel.h"
#include "http/request.h"
#include "http/response.h"
#include "hub/access.h"
#include "hub/shard_hub.h"
#include "socketio/content.h"
#include "socketio/encode.h"
#include "socketio/offset.h"
#include "socketio/options.h"
#include "socketio/poll_pool.h"
#include "socketio/publishes.h"
#include "ws/deflate.h"

namespace kilat::socketio {

class Link;
class Session;
class Socket;
class Emitter;
class Handlers;
class Recovery;
class Comebacks;
class Registry;
struct ClientInfo;
struct Gone;
struct Letter;
struct SessionState;

/// Where the answer to an HTTP request goes. `ticket` means something on `shard` only.
struct ReplyTo {
  hub::ShardIndex shard = 0;
  uint64_t ticket = 0;

  bool operator==(const ReplyTo&) const = default;
};

/// A request of a polling session, as its shard needs it.
struct PollRequest {
  ReplyTo to;
  std::string sid;
  http::Method method = http::Method::kGet;
  bool bad = false;     ///< asks for another transport or protocol version than its session has
  bool octets = false;  ///< a body of type application/octet-stream
  bool gzip = false;    ///< the client takes gzip
  std::string body;
};

/// What is special about the frames of a reader with kOwnFormat.
struct FrameKind {
  bool deflated = false;
  bool position = false;  ///< with the offset of the event in the history of its channel
  bool operator==(const FrameKind&) const = default;
};

/// What a shard's Socket.IO needs of the rest of the program.
class Host {
 public:
  /// Answers an HTTP request of this shard; one that has gone is nobody's loss.
  virtual void answer(uint64_t ticket, const http::Response& response) = 0;
  /// The same with the refusal that the HTTP API gives.
  virtual void refuse(uint64_t ticket, Reason reason) = 0;
  /// Counts a connection for the app. kNone, or why not; given back with release().
  virtual Reason admit(hub::App& app) = 0;
  virtual void release(hub::App& app) = 0;
  /// A polling session has ended, for log and metrics; one with a WebSocket ends with its connection.
  virtual void note_end(const ClientInfo& client, const hub::App& app, Reason reason) = 0;
  virtual hub::ShardIndex shards() const = 0;
  /// The first part of the ids of this shard's sockets.
  virtual uint32_t place() const = 0;

 protected:
  ~Host() = default;
};

/// A connection that is counted for an app: no longer, unless a session comes to be that gives it back.
class Admitted {
 public:
  Admitted(Host& host, hub::App& app) : host_(host), app_(&app) {}
  ~Admitted() {
    if (app_ != nullptr) host_.release(*app_);
  }
  Admitted(const Admitted&) = delete;
  Admitted& operator=(const Admitted&) = delete;

  hub::App& app() const { return *app_; }
  void keep() { app_ = nullptr; }

 private:
  Host& host_;
  hub::App* app_;
};

struct Tally {
  uint64_t sessions_opened = 0;
  uint64_t sessions_closed = 0;
  uint64_t links = 0;  ///< WebSockets open now
  uint64_t upgrades = 0;
  uint64_t sockets_opened = 0;
  uint64_t sockets_closed = 0;
  uint64_t recovered = 0;
  uint64_t packets = 0;
  uint64_t unhandled = 0;  ///< events that nobody listens to
};

class Shard {
 public:
  Shard(hub::AppTable& apps_in, hub::ShardHub& hub_in, TimerWheel& wheel_in, hub::Access& access_in, Host& host_in,
        const net::OutboxLimits& limits, Options options_in);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // --- from HTTP (polling.cc)
  /// A request to the path of Socket.IO that asks for no WebSocket. Nothing when the answer comes later, through
  /// Host::answer; `sid` is then whose it is.
  struct Origin {
    std::function<ClientInfo()> client;  ///< asked when a session begins
    uint64_t ticket = 0;
    bool draining = false;
    bool echo = false;  ///< see Session::set_echo
  };
  std::optional<http::Response> handle(const http::Request& request, const Origin& origin, std::string& sid);
  /// The client of an unanswered request has gone; or, `draining`, its session is to end and to answer it.
  void on_gone(const std::string& sid, uint64_t ticket, bool draining);

  // --- WebSockets
  struct Upgrade {
    Reason refused = Reason::kNone;
    std::string sid;            ///< of the session that wants to upgrade; empty: a new one
    hub::ShardIndex shard = 0;  ///< where it lives
    bool text_only = false;
  };
  /// Looks at a request for a WebSocket; refuses it before the 101 where it can.
  Upgrade check_upgrade(const http::Request& request) const;
  /// Counts a session for the app of `/`, which is written to `app`; kNone, or why not.
  Reason admit(hub::App*& app);
  /// A new session over `link`. `echo`: see Session::set_echo.
  void open(Link& link, Admitted& place, const ClientInfo& client, bool text_only, bool echo);
  /// A session of this shard; null when there is none with this id.
  Session* find_session(const std::string& sid) const;
  /// Into the table; a session for which there is no room there has ended.
  void take(std::unique_ptr<Session> session);
  /// Whether a session of this shard has this id.
  bool knows(const std::string& sid) const;
  /// `link` wants to become the transport of a session that is known. `probed`: its probe was answered elsewhere.
  void probe(const std::string& sid, Link& link, bool probed);
  /// Another shard's session comes to live here, with its WebSocket or (null) polling.
  void adopt(SessionState&& state, Link* link);
  /// Sends a polling session to where it wants to move.
  void send_away(Session& session, std::string_view rest);
  /// Where a session of this shard has moved.
  std::optional<hub::ShardIndex> moved_to(const std::string& sid) const;

  // --- the shard's loop
  /// The app is gone or disabled: its sessions end, and its sockets of other sessions.
  void close_app(hub::AppIndex app);
  void finish_turn();
  void on_letter(hub::ShardIndex from, std::unique_ptr<hub::Letter> letter);

  // --- sockets that outlive the process
  /// Sockets in durable rooms are written down there from now on. Before any session; the hub tracks orders already.
  void set_registry(Registry& where, uint64_t run);
  const ServerRun& run() const { return run_; }
  void on_written(uint64_t ticket);
  /// For sockets: has on_written() tell this one.
  void await_written(uint64_t ticket, hub::Handle who) { unwritten_.emplace_back(ticket, who); }
  /// Counts a record; false: there are as many as there may be, unless it is there already.
  bool take_record(bool is_there);
  void give_record_back() { --records_; }

  // --- for sessions
  /// Answers a request, wherever it came in.
  void reply(const ReplyTo& to, http::Response response);
  void bury(Session& session);
  /// The client has ended its session, perhaps before a poll of it arrived that was sent before on another connection:
  /// one that comes within a second is answered as if it had been in time.
  void expect_last_poll(const std::string& sid);
  const Namespace* find_namespace(std::string_view name) const;
  hub::App& app_of(const Namespace& nsp) { return apps[nsp.app]; }
  std::string new_secret_id();
  /// The shard that a secret id (of a session, or for recovery) names; nothing when it is no such id.
  std::optional<hub::ShardIndex> shard_of(std::string_view id) const;
  hub::SocketId new_socket_id(uint32_t slot);
  /// The frame of a publication for a reader with kOwnFormat; made once for all alike that follow each other. With
  /// recovery its number, which is its offset, is in `number`.
  net::FramePtr frame_for(const hub::Publication& publication, const Namespace& nsp, FrameKind kind, uint64_t* number);
  /// The same for an event that was missed; `orders` stand in its offset. Always one with a number of its own.
  net::FramePtr past_frame(const hub::Publication& publication, const Namespace& nsp, bool position,
                           std::span<const uint64_t> orders, uint64_t* number);
  /// The sockets of a namespace on this shard, in no order.
  std::vector<Socket*>& sockets(const Namespace& nsp) {
    return sockets_[static_cast<size_t>(&nsp - options.namespaces.data())];
  }
  size_t session_count() const { return sessions_.size(); }
  /// The offset given last.
  uint64_t last_number() const { return numbers_; }
  /// Whether the app can be reached by Socket.IO: then some names of events are refused everywhere.
  bool serves(hub::AppIndex app) const;

  hub::AppTable& apps;
  hub::ShardHub& hub;
  TimerWheel& wheel;
  hub::Access& access;
  Host& host;
  Handlers* handlers = nullptr;  ///< of the program that has Kilat inside; null: there is none
  Options options;
  uint64_t now_ms = 0;      ///< monotonic, set once a turn
  uint64_t now_unix_s = 0;  ///< wall clock, set once a turn
  Random random;
  ContentParser parser;
  PublicationEncoder encoder;
  ws::Inflater inflater;
  ws::Deflater deflater;
  PollPool pool;
  PollOutbox nowhere;  ///< of sockets that wait to be recovered
  Tally tally;
  Publishes publishes{hub};
  std::unique_ptr<Emitter> emitter;
  std::unique_ptr<Recovery> recovery;
  std::unique_ptr<Comebacks> comebacks;
  Registry* registry = nullptr;  ///< null: sockets end with the process

 private:
  struct CachedFrame {
    hub::PublicationPtr publication;
    const Namespace* nsp = nullptr;
    FrameKind kind;
    uint64_t number = 0;
    net::FramePtr frame;
  };

  http::Response open_polling(const Origin& origin, bool text_only);
  void handle_letter(hub::ShardIndex from, Letter& letter);
  void on_request(PollRequest request);
  void on_gone(const Gone& gone);
  bool take_last_poll(const std::string& sid);

  std::unordered_map<std::string, std::unique_ptr<Session>> sessions_;
  std::vector<std::unique_ptr<Session>> graves_;
  std::unordered_map<std::string, hub::ShardIndex> moved_;  ///< until they end
  static constexpr size_t kLastPollsMax = 1'024;
  static constexpr uint64_t kLastPollMs = 1'000;
  std::deque<std::pair<std::string, uint64_t>> last_polls_;  ///< and until when
  std::vector<std::vector<Socket*>> sockets_;                ///< by namespace
  CachedFrame cached_;
  uint64_t numbers_ = 0;  ///< offsets given so far
  ServerRun run_;
  size_t records_ = 0;                                      ///< of sockets of this shard, in the registry
  std::deque<std::pair<uint64_t, hub::Handle>> unwritten_;  ///< who waits for which ticket, in order
};

/// {"code":…,"message":…} with the status of the row.
http::Response engine_refusal(Reason reason);

}  // namespace kilat::socketio
