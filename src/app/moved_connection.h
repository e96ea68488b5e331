// A connection on its way from one shard to another: a WebSocket that wants to take over a session lives where that
// session lives. Owner: the letter that carries it, then the shard that adopts it.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "app/admission.h"
#include "base/ip_address.h"
#include "hub/command.h"
#include "net/stream.h"
#include "net/transport.h"
#include "socketio/session_state.h"

namespace kilat::app {

struct MovedConnection final : hub::Letter {
  MovedConnection(net::Stream::Released stream_in, const Peer& peer_in, Lease lease_in)
      : stream(std::move(stream_in)), peer(peer_in), lease(std::move(lease_in)) {}

  net::Stream::Released stream;
  Peer peer;
  Lease lease;
  std::unique_ptr<IpAddress> forwarded;
  bool tls = false;
  bool secure = false;
  std::string sid;                                ///< of the session it wants
  std::string key;                                ///< Sec-WebSocket-Key
  std::string protocol;                           ///< the chosen subprotocol
  std::string extensions;                         ///< those that the client offers
  std::string rest;                               ///< what the client sent behind the request
  bool accepted = false;                          ///< it is a WebSocket already
  bool probed = false;                            ///< … whose probe was answered
  bool deflate = false;                           ///< … with permessage-deflate
  std::unique_ptr<socketio::SessionState> state;  ///< the session that comes with it
};

/// Who takes such a connection.
class Adopter {
 public:
  virtual void adopt(std::unique_ptr<MovedConnection> moved) = 0;

 protected:
  ~Adopter() = default;
};

}  // namespace kilat::app
