// A session on its way to another shard: the client that comes back has a socket there (see Recovery).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "auth/credentials.h"
#include "hub/ids.h"
#include "net/frame.h"
#include "socketio/first_request.h"
#include "socketio/shard.h"

namespace kilat::socketio {

struct SessionState {
  std::string sid;
  std::string address;
  hub::AppIndex app = 0;
  bool secure = false;
  auth::CredentialsPtr credentials;
  FirstRequestPtr request;
  bool text_only = false;
  bool pinged = false;
  uint64_t beat_ms = 0;
  std::optional<ReplyTo> waiting;  ///< a poll that is held
  bool gzip = false;
  std::vector<net::FramePtr> queued;  ///< of a polling session
  std::string packets;                ///< what is not handled yet, the CONNECT first
};

}  // namespace kilat::socketio
