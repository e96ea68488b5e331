// Session: one Engine.IO session: its transport (long-polling, a WebSocket, or on the way from one to the other), its
// heartbeat, and the sockets it has in namespaces. No I/O.
// Owner: one shard (Shard::sessions); it ends inside its own calls only in name: the shard frees it later.
// Bounds: Options; what it queues is bounded by OutboxLimits.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/credentials.h"
#include "base/allowance.h"
#include "base/reason.h"
#include "base/timer_wheel.h"
#include "socketio/first_request.h"
#include "socketio/packet.h"
#include "socketio/poll_pool.h"
#include "socketio/recovery.h"
#include "socketio/session_state.h"
#include "socketio/shard.h"

namespace kilat::socketio {

class Link;
class Socket;

/// What a session knows of its client.
struct ClientInfo {
  std::string address;
  bool secure = false;
  auth::CredentialsPtr credentials = nullptr;  ///< may be null
  FirstRequestPtr request = nullptr;
};

class Session final : private Timer {
 public:
  /// A session over long-polling if `link` is null. `app`: whose quota it counts against; given back when it ends.
  Session(Shard& shard, std::string sid, hub::App& app, ClientInfo client, Link* link);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const std::string& sid() const { return sid_; }
  const ClientInfo& client() const { return client_; }
  Link* link() const { return link_; }
  bool polls() const { return link_ == nullptr; }
  bool ended() const { return ended_; }
  net::Outbox& outbox();
  /// The JSON of the handshake.
  std::string handshake() const;
  /// Whether a packet would go out at once: where it would not, volatile events are dropped.
  bool writable();

  void send(net::FramePtr frame) { outbox().push(std::move(frame)); }

  // --- from a WebSocket
  void on_message(Link& link, std::string_view payload, bool binary);
  void on_link_gone(Link& link, Reason reason);
  void drop_probe(Link& link);
  /// The same, for somebody who takes it; null when there is none.
  Link* take_probe() { return poll_ ? std::exchange(poll_->probe, nullptr) : nullptr; }
  bool probed() const { return poll_ && poll_->probed; }
  /// A probe that another shard has answered already.
  void set_probed();
  /// Another WebSocket wants to become the transport.
  void probe(Link& link);

  // --- from HTTP, see polling.cc
  void on_get(const PollRequest& request);
  void on_post(const PollRequest& request);
  /// The client of a request that was not answered has gone; or the server drains, and the session is to end.
  void on_gone(const ReplyTo& to, bool draining);
  /// Answers a waiting poll with what is queued, if anything is.
  void flush_poll();
  /// There is no memory for what its client has to get.
  void give_up() { end(Reason::kMemoryBudget); }
  void answer_poll();

  // --- moving to another shard
  /// Where it is to go, before anything more is handled.
  std::optional<hub::ShardIndex> moving() const { return move_ ? std::optional(move_->to) : std::nullopt; }
  /// Gives up everything here; the session ends only on this shard. `rest`: packets that were not looked at.
  SessionState leave(std::string_view rest);
  /// It can't go, so the client gets a new socket here.
  void stay();
  /// What leave() gave, on the new shard; before anything else.
  void arrive(SessionState&& state);

  // --- Socket.IO
  /// `frame` as the client takes it.
  net::FramePtr link_frame(net::FramePtr frame) const;
  /// Sends every message back instead: a bare Engine.IO session of the protocol's test suite.
  void set_echo() {
    echo_ = true;
    connect_by_ms_ = 0;
    schedule();
  }
  Socket* find(std::string_view nsp) const;
  /// A socket has another token, which ends at another time.
  void token_changed() { schedule(); }
  /// Removes it from the session, and ends it.
  void remove(Socket& socket, Reason reason);
  /// The socket that its client asks for comes back (Comebacks), and on_comeback() follows: with it, or null when there
  /// is to be a new one. `auth`, `who`: of the CONNECT.
  void await_comeback(const Namespace& nsp);
  void on_comeback(const Namespace& nsp, std::unique_ptr<Socket> socket, std::string auth, auth::IdentityPtr who);
  /// A socket that Handlers::on_connecting was asked about: its client gets it, or CONNECT_ERROR with `json`.
  void admit(Socket& socket);
  void turn_away(Socket& socket, std::string_view json);
  /// Removes it from the session only.
  std::unique_ptr<Socket> give(Socket& socket);
  size_t socket_count() const { return sockets_.size(); }
  /// Tells the client of each namespace that it is over, and ends the session.
  void disconnect_all();
  /// The client takes no binary messages.
  bool text_only() const { return text_only_; }
  void set_text_only() { text_only_ = true; }
  /// Ends the session in the way its transport wants: after what is queued.
  void close(Reason reason);

 private:
  /// What only a session that polls needs.
  struct Poll {
    Poll(PollPool& pool, Session* session) : outbox(pool, session) {}
    PollOutbox outbox;
    std::optional<ReplyTo> waiting;  ///< the poll that is held
    bool gzip = false;               ///< its client takes gzip
    bool closing = false;            ///< the next poll gets the end
    Link* probe = nullptr;
    bool probed = false;  ///< the probe was answered
    uint64_t upgrade_until_ms = 0;
    uint64_t noop_ms = 0;  ///< when a poll that waits is let go while upgrading
  };
  /// A binary packet whose attachments are not complete.
  struct Unfinished {
    std::string text;
    uint32_t awaited = 0;
    size_t bytes = 0;
    uint64_t until_ms = 0;
    std::vector<std::string> attachments;
  };

  /// A socket that the program has not decided about.
  struct Candidate {
    std::unique_ptr<Socket> socket;
    std::string auth;
    std::optional<uint64_t> after;  ///< it is recovered: from behind this event
  };
  /// The CONNECTs that nobody has decided about yet; an idle session has none.
  struct Undecided {
    std::vector<Candidate> candidates;
    std::vector<const Namespace*> identifying;  ///< their token is looked at, or their socket comes back
  };
  struct Move {
    hub::ShardIndex to;
    std::string connect;  ///< the CONNECT that makes it move
  };

  static void on_timer(Timer& timer);
  void check_deadlines();
  void schedule();
  void heard(bool pong);

  void on_packet(std::string_view packet);
  void on_probe_message(Link& link, std::string_view payload, bool binary);
  void upgrade(Link& link);
  void engine_sin();
  void client_closed();
  void on_attachment(std::string bytes);
  void on_text(std::string_view text);
  void handle(const Packet& packet, std::vector<std::string> attachments);
  void connect(const Packet& packet);
  void authenticate(const Namespace& nsp, std::string_view payload, std::optional<Recovery::Asked> asked);
  void finish_connect(const Namespace& nsp, std::string_view payload, const std::optional<Recovery::Asked>& asked,
                      auth::IdentityPtr who);
  bool check_tokens();
  void let_in(Candidate candidate);
  void vet(Candidate candidate);
  std::optional<Candidate> take_candidate(const Socket& socket);
  Undecided& undecided();
  size_t undecided_count() const;
  bool is_undecided(std::string_view nsp) const;
  /// The CONNECT to `nsp` waits no longer.
  void identified(const Namespace& nsp);
  void feed(std::string_view text);
  void refuse(std::string_view nsp, Reason reason);
  void answer(const ReplyTo& to, std::string body, bool gzip);
  void end(Reason reason);
  void release_all();
  void end_sockets(Reason reason);

  Shard& shard_;
  hub::App& app_;
  std::string sid_;
  ClientInfo client_;
  Link* link_;
  std::unique_ptr<Poll> poll_;
  std::unique_ptr<Unfinished> unfinished_;
  std::vector<std::unique_ptr<Socket>> sockets_;
  std::unique_ptr<Undecided> undecided_;  ///< null: none
  std::unique_ptr<Move> move_;            ///< null: it stays
  Allowance messages_;
  Allowance bytes_;
  uint64_t beat_ms_;        ///< when a ping is due, or until when its pong is
  uint64_t connect_by_ms_;  ///< 0: a namespace was joined
  bool pinged_ = false;
  bool extended_ = false;  ///< the deadline of this pong was moved once
  bool echo_ = false;
  bool text_only_ = false;
  bool arrived_ = false;  ///< from another shard: it does not go on, because the shard that its id names knows this one
  bool ended_ = false;
};

}  // namespace kilat::socketio
