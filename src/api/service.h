// Service: the HTTP API of one shard (docs/http-api.md): authenticates, asks the hub, and answers, at once or when the
// channels' home shards have answered.
// Owner: one shard. Bounds: at most one pending entry per request in flight, which the HTTP connections limit.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "api/event_body.h"
#include "http/request.h"
#include "http/response.h"
#include "http/uri.h"
#include "hub/access.h"
#include "hub/shard_hub.h"

namespace kilat::api {

/// Where an answer goes that comes later. Chosen by the HTTP side; opaque here.
using Ticket = uint64_t;

class ServiceHost {
 public:
  virtual void answer(Ticket ticket, const http::Response& response) = 0;
  /// There is no memory for the answer: the connection is to be closed.
  virtual void give_up(Ticket ticket) = 0;

 protected:
  ~ServiceHost() = default;
};

struct ServiceOptions {
  std::string path_prefix;
  bool strict_channel_names = false;
};

/// The answer will come through ServiceHost::answer.
struct Pending {};

/// The request asks to follow the app's events: the HTTP side streams them until the client leaves.
struct Tail {
  hub::AppIndex app;
  std::string channel;  ///< pattern with `*`; empty: all
  std::string event;
};

/// The request is good, and for the sockets of Socket.IO.
struct ForSockets {
  const hub::App* app;
  std::string action;  ///< the path behind /apps/ID/socketio/
};

/// The request is good, and for durable ingest.
struct ForIngest {
  enum class Kind : uint8_t { kAccept, kQueue, kFailed, kRetry, kForget, kReadings, kSensors };
  Kind kind;
  const hub::App* app;
  std::string job;  ///< kRetry, kForget: which; empty: all
};

using Outcome = std::variant<http::Response, Pending, Tail, ForSockets, ForIngest>;

class Service {
 public:
  Service(hub::AppTable& apps, hub::ShardHub& hub, hub::Access& access, ServiceHost& host, ServiceOptions options);

  /// `path` is the request's path without the prefix and begins with /apps/. `now_unix_ms`: the wall clock.
  Outcome handle(const http::Request& request, std::string_view path, Ticket ticket, uint64_t now_unix_ms);

  /// The app whose POST /apps/ID/ingest this is, if its body may be read as it comes, because it is a good request
  /// before its body is known, by the app's API key. Null: it is to be gathered and handled like others.
  const hub::App* streams(const http::Request& head, std::string_view path);
  /// Such a request was answered.
  void note_streamed(hub::AppIndex app, uint64_t received_bytes, uint64_t sent_bytes);

  /// A reload may change it.
  void set_strict_channel_names(bool strict) { options_.strict_channel_names = strict; }

  // From the hub, through the shard's sink. They do not throw.
  void on_published(hub::RequestId request, const hub::PublishReply& reply);
  void on_answer(hub::RequestId request, hub::QueryReply reply);

  /// What this shard counts of one app's requests, for metrics. Bytes are those of bodies.
  struct Tally {
    uint64_t requests = 0;
    uint64_t received_bytes = 0;
    uint64_t sent_bytes = 0;
  };
  /// By app; grows when an app is asked for.
  const std::vector<Tally>& tallies() const { return tallies_; }

  size_t pending() const { return publishes_.size() + queries_.size(); }

 private:
  /// One (event, channel) of a publish request, in the order in which the answer lists them.
  struct Part {
    std::string channel;
    Info info;
    hub::PublishReply reply;
  };
  struct PendingPublish {
    hub::AppIndex app = 0;
    Ticket ticket = 0;
    bool batch = false;
    bool with_info = false;
    uint32_t awaited = 0;
    std::vector<Part> parts;
  };
  struct PendingQuery {
    Ticket ticket = 0;
    hub::Query query;
    Info info;
    uint32_t awaited = 0;
    hub::QueryReply gathered;
  };
  struct Call {
    const http::Request& request;
    const http::Query& query;
    const http::PathSegments& path;
    hub::App& app;
    Ticket ticket;
    uint64_t now_unix_ms;
  };

  Outcome dispatch(const Call& call);
  template <typename Build>
  void answer_later(hub::AppIndex app, Ticket ticket, Build&& build);
  Outcome post_events(const Call& call);
  Outcome post_batch(const Call& call);
  Outcome publish_all(const Call& call, std::span<const Event> events, bool batch);
  Outcome get_channels(const Call& call);
  Outcome get_channel(const Call& call);
  Outcome get_users(const Call& call);
  Outcome get_history(const Call& call);
  Outcome ask(const Call& call, const hub::Query& query, Info info);
  Outcome disconnect_user(const Call& call, Reason reason);
  Outcome get_connections(const Call& call) const;
  Outcome tail(const Call& call) const;
  Outcome ingest(const Call& call) const;
  Outcome read_ingest(const Call& call, ForIngest::Kind kind) const;
  std::optional<http::Response> limit_reads(const Call& call) const;
  static http::Response publish_answer(const PendingPublish& publish);
  static void gather(PendingQuery& pending, hub::QueryReply reply);
  static http::Response query_answer(const PendingQuery& pending);

  hub::AppTable& apps_;
  hub::ShardHub& hub_;
  hub::Access& access_;
  ServiceHost& host_;
  ServiceOptions options_;
  EventParser parser_;
  hub::RequestId last_request_ = 0;
  std::unordered_map<hub::RequestId, PendingPublish> publishes_;
  std::unordered_map<hub::RequestId, PendingQuery> queries_;
  /// The query whose answers come while it is being asked (all homes on this shard): answered by return value.
  std::optional<http::Response> answered_now_;
  hub::RequestId asking_ = 0;
  std::vector<Tally> tallies_;
};

}  // namespace kilat::api
