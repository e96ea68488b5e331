// Handlers: the program that has Kilat inside, as the Socket.IO side of a shard sees it. Shard::handlers is null when
// nobody is there, and then nothing here is asked.
// Owner: whoever made the shard; outlives its sessions. Every call comes on the shard's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/reason.h"

namespace kilat::socketio {

class Session;
class Socket;
struct EventContent;

/// What the program remembers about one socket; ends with it.
class SocketMemory {
 public:
  virtual ~SocketMemory() = default;
};

class Handlers {
 public:
  /// A client that may have the namespace asks for it. `socket` is not in it yet: Session::admit() or
  /// Session::turn_away() follows, perhaps before this returns. `auth`: the JSON object of its CONNECT, or empty.
  virtual void on_connecting(Session& session, Socket& socket, std::string_view auth) = 0;
  /// The client was told that it is connected. `recovered`: it had this socket before.
  virtual void on_connected(Socket& socket, bool recovered) = 0;
  /// True: the program has taken the event, and the server does not answer it by itself. The socket may be gone when
  /// this returns.
  virtual bool on_event(Socket& socket, const EventContent& event, std::optional<uint64_t> ack,
                        std::span<const std::string> attachments) = 0;
  /// True: the program had asked. The socket may be gone when this returns.
  virtual bool on_ack(Socket& socket, uint64_t id, std::string_view payload,
                      std::span<const std::string> attachments) = 0;
  /// The client has left, or is about to; the socket still has its rooms. May come again for the same end. Comes in
  /// the middle of other work, so the program itself is told later.
  virtual void on_gone(Socket& socket, Reason reason) noexcept = 0;

 protected:
  ~Handlers() = default;
};

}  // namespace kilat::socketio
