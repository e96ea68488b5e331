// Link: the WebSocket of a session, or of one that is about to upgrade: bytes in, messages for the session out; no I/O.
// Owner: the connection, on the session's shard. A session that ends ends its link, and a link that ends tells its
// session; neither owns the other.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "net/outbox.h"
#include "socketio/session_state.h"
#include "socketio/shard.h"
#include "ws/reader.h"

namespace kilat::socketio {

/// The connection below a link.
class LinkHost {
 public:
  /// The last frame is queued: send it, then close. Called once.
  virtual void finish(Reason reason) = 0;
  /// Whether move() can be called now: nothing waits to be sent.
  virtual bool movable() = 0;
  /// Gives the connection to another shard, for the session `sid` or with `state`. The link is not used any more.
  struct Move {
    hub::ShardIndex shard = 0;
    std::unique_ptr<SessionState> state;  ///< null: it is a probe
    std::string sid;
    bool probed = false;
    bool deflate = false;
    std::string_view rest;  ///< input that was not looked at
  };
  virtual void move(Move&& move) = 0;

 protected:
  ~LinkHost() = default;
};

struct LinkOptions {
  bool deflate = false;  ///< permessage-deflate without context, in both directions
};

class Link {
 public:
  Link(Shard& shard, const LinkOptions& options, net::Outbox& outbox, LinkHost& host);
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  /// Belongs to `session` from now on: its transport, or a socket that wants to become it.
  void attach(Session& session) { session_ = &session; }

  /// Bytes from the client; changed in place, 64 readable bytes follow.
  void on_bytes(std::span<char> bytes);
  /// The connection is gone, or closes without our doing; the session hears of it. Safe to call again.
  void retire(Reason reason);

  /// Sends a close frame (without a code, unless the row is one of WebSocket's) and has the host close.
  void close(Reason reason);
  /// Ends the link and its session.
  void close_session(Reason reason);

  /// See LinkHost::move; false, and nothing has happened, when it can't go now.
  bool move(hub::ShardIndex shard, std::unique_ptr<SessionState> state, std::string sid, bool probed,
            std::string_view rest);

  void send(net::FramePtr frame) { outbox_.push(std::move(frame)); }
  net::Outbox& outbox() { return outbox_; }
  const LinkOptions& options() const { return options_; }
  size_t buffered() const { return reader_.buffered(); }
  bool closing() const { return closing_; }
  Session* session() const { return session_; }

 private:
  void on_event(const ws::Event& event);
  void on_close_frame(const ws::Event& event);
  void move_session(std::span<char> rest);

  Shard& shard_;
  net::Outbox& outbox_;
  LinkHost& host_;
  Session* session_ = nullptr;
  ws::Reader reader_;
  LinkOptions options_;
  bool closing_ = false;
};

/// The bytes that end a WebSocket for `reason`.
net::FramePtr closing_frame(Reason reason);

}  // namespace kilat::socketio
