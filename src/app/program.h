// Program: the C++ program that has this server inside (src/embed), as the shards see it. Null in `kilat serve`.
// Owner: whoever starts the Server; outlives it. ShardProgram: its side of one shard, on that shard's thread.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "api/service.h"
#include "base/ip_address.h"
#include "http/request.h"
#include "http/response.h"
#include "pusher/handlers.h"
#include "socketio/handlers.h"

namespace kilat::app {

class Shard;

class ShardProgram {
 public:
  virtual ~ShardProgram() = default;
  /// Null: the program has nothing to do with that protocol.
  virtual socketio::Handlers* sockets() = 0;
  virtual pusher::Handlers* pusher() = 0;

  /// A request that no route of the server is for. `path`: without server.path_prefix.
  struct WebRequest {
    const http::Request& request;
    std::string_view path;
    const IpAddress& client;
    bool secure = false;
    api::Ticket ticket;
  };
  enum class Taken : uint8_t { kNo, kAnswered, kLater };
  /// kAnswered: `response` is the answer. kLater: it comes by Shard::answer_later.
  virtual Taken on_request(const WebRequest& request, http::Response& response) = 0;
  /// The shard's thread is about to end; its connections are gone.
  virtual void on_end() = 0;
};

class Program {
 public:
  /// Once for each shard, before its thread begins.
  virtual std::unique_ptr<ShardProgram> join(Shard& shard) = 0;

 protected:
  ~Program() = default;
};

}  // namespace kilat::app
