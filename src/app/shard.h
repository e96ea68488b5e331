// Shard: one thread with its event loop and everything it owns: listener, connections, timers, hub, HTTP API.
// Nothing here is touched by another thread, except through the mailbox and ask().
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/channel_auth.h"
#include "api/service.h"
#include "app/admission.h"
#include "app/connection.h"
#include "app/drain_schedule.h"
#include "app/health.h"
#include "app/linger.h"
#include "app/program.h"
#include "app/shard_snapshot.h"
#include "app/sink.h"
#include "app/task_queue.h"
#include "app/traffic.h"
#include "base/clock.h"
#include "base/ip_address.h"
#include "base/timer_wheel.h"
#include "config/settings.h"
#include "hub/access.h"
#include "hub/shard_hub.h"
#include "metrics/exposition.h"
#include "net/http_client.h"
#include "net/listener.h"
#include "net/mailbox.h"
#include "net/stream.h"
#include "net/tls_context.h"
#include "net/tls_tickets.h"
#include "net/transport.h"
#include "pusher/session.h"
#include "socketio/shard.h"
#include "store/ingest_record.h"

namespace kilat::app {

class Ops;
class DurableHistory;
class Ingest;
class IngestDesk;
class IngestUpload;
class TokenKeys;

/// What all shards share: the settings of the start, health, and the rings between the shards.
struct Common {
  Common(config::Settings settings_in, uint32_t shards_in, Program* program_in = nullptr);

  const config::Settings settings;  ///< of the start; a shard's own may be newer (Shard::settings)
  const uint32_t shards;
  NetworkList trusted_proxies;
  Admission admission;
  const net::TicketKeys::Secret ticket_secret = net::TicketKeys::random_secret();
  const uint64_t ticket_origin_ms = monotonic_ms();
  hub::AppTable apps;  ///< the model of the shards' own tables; after the start it belongs to the thread of Ops
  Health health;
  Ops* ops = nullptr;                      ///< set before the shards run
  DurableHistory* history = nullptr;       ///< the same; null: no channel is durable
  Ingest* ingest = nullptr;                ///< the same; null: no app takes readings
  TokenKeys* token_keys = nullptr;         ///< the same; null: none are fetched
  net::HttpClient* http_client = nullptr;  ///< the same; null: nothing is sent
  Program* const program;                  ///< null: none has the server inside
  net::MailGrid<hub::Command> mail;
  uint32_t node = 0;  ///< random part of this process in its socket ids
  /// Shards that drain and have no connection left. All end together, because the others may still need the channels
  /// whose home a shard is, and the kernel still hands it new connections.
  std::atomic<uint32_t> drained{0};
  std::atomic<uint32_t> drain_ms{0};
  std::atomic<uint64_t> cut_off{0};  ///< connections that had not gone when the server ended
  /// While draining nothing is accepted any more: another process listens on the same port. Set before the drain.
  std::atomic<bool> hand_over{false};
};

class Shard final : private net::AcceptHandler,
                    private net::SlowReaderPolicy,
                    private api::ServiceHost,
                    private socketio::Host,
                    private auth::KeySource,
                    private auth::BackendTransport,
                    private Adopter {
 public:
  enum class Request : uint8_t { kNone, kDrain, kStop };

  Shard(Common& common, uint32_t index);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  /// Takes over a listening socket. Before run().
  void listen(int fd, const net::ListenerTraits& traits = {});
  /// New TLS connections begin with this. Before run().
  void set_certificates(std::shared_ptr<const net::TlsContext> context) { certificates_ = std::move(context); }
  /// The same for a shard that runs, from its next turn on. Any thread.
  void offer_certificates(std::shared_ptr<const net::TlsContext> context) {
    post([this, context = std::move(context)]() mutable { set_certificates(std::move(context)); });
  }
  /// The shard's life, on its own thread: returns after a stop, or when a drain has ended.
  void run();
  /// One wait and one turn; false when the shard's life is over. run() is nothing but this, and then end(): whoever
  /// plays several shards in one thread calls them itself.
  bool step();
  void end();
  /// Any thread; a later request counts if it is a stronger one.
  void ask(Request request);
  /// Has the shard's thread do `task` between two turns. Any thread; false when the shard has ended.
  bool post(TaskQueue::Task task);

  // --- tasks of Ops, on the shard's thread
  void beat();
  ShardSnapshot snapshot() const;
  void add_apps(const std::vector<hub::AppTable::Newcomer>& newcomers);
  /// Puts settings into effect; closes the connections of apps that are gone or disabled, and returns how many.
  uint64_t apply(std::shared_ptr<const config::Settings> next);

  // --- for the connections of this shard
  const config::Settings& settings() const { return *settings_; }
  hub::AppTable& apps() { return apps_; }
  /// For what is told to it when it is on disk, and before run() for what was there.
  hub::HomeHub& home() { return hub_.home(); }
  const Health& health() const { return common_.health; }
  Traffic& traffic() { return traffic_; }
  /// Has Ops make the answer to GET /metrics; false when it has too much to do.
  bool ask_for_metrics(api::Ticket ticket, metrics::Format format);
  net::Reactor& reactor() { return reactor_; }
  TimerWheel& wheel() { return wheel_; }
  auth::Authenticator& authenticator() { return authenticator_; }
  hub::Access& access() { return access_; }
  pusher::Shard& pusher() { return pusher_; }
  socketio::Shard& socketio() { return socketio_; }
  hub::ShardIndex index() const { return index_; }
  api::Service& service() { return service_; }
  api::ChannelAuth& channel_auth() { return channel_auth_; }
  /// Nothing: the answer comes later.
  std::optional<http::Response> answer_ingest(const http::Request& request, const api::ForIngest& what,
                                              api::Ticket ticket);
  /// The body of `request`, for which Service::streams() has named the app, is read as it comes.
  Result<std::unique_ptr<IngestUpload>> begin_upload(const http::Request& request, const hub::App& app,
                                                     api::Ticket ticket);
  /// A piece of it is on disk, or is not.
  void on_piece(api::Ticket ticket, const store::Outcome<store::AcceptedJob>& outcome);
  /// It has something to do.
  void go_on(api::Ticket ticket);
  bool takes_readings() const { return common_.ingest != nullptr; }
  /// Before run(): who publishes readings here.
  void set_ingest(IngestDesk& desk) { sink_.set_ingest(desk); }
  ShardProgram* program() { return program_.get(); }
  hub::ShardHub& hub() { return hub_; }
  /// Answers a request that had to wait; one that has gone is nobody's loss.
  void answer_later(api::Ticket ticket, const http::Response& response) { answer(ticket, response); }
  http::ParserPool& parsers() { return parsers_; }
  uint64_t now_ms() const { return now_ms_; }
  uint64_t unix_now_ms() const { return unix_now_ms_; }
  std::string_view http_date();
  bool draining() const { return draining_; }
  size_t connection_count() const { return connections_.size(); }
  hub::SocketId new_socket_id();
  uint64_t next_http_id() { return ++last_http_id_; }

  const NetworkList& trusted_proxies() const { return common_.trusted_proxies; }
  /// Counts a connection for the address of its client. Trusted proxies are not counted.
  Reason take_address(Lease& lease, const Peer& client);
  /// Counts a connection for the app; given back with release().
  Reason admit(hub::App& app) override;
  void release(hub::App& app) override;
  void note_end(const socketio::ClientInfo& client, const hub::App& app, Reason reason) override;
  /// Gives a connection to another shard.
  void hand_to(hub::ShardIndex shard, std::unique_ptr<MovedConnection> moved) { hub_.post(shard, std::move(moved)); }
  void note_waiting(uint64_t http_id, HttpSession& session) { waiting_[http_id] = &session; }
  void forget_waiting(uint64_t http_id) { waiting_.erase(http_id); }
  void start_tail(Taps::Tap tap);
  void end_tail(const net::Outbox& outbox);
  void bury(Connection& connection);
  /// After input: other shards must get through what it has caused before more is read.
  void hold_input_when_behind() {
    if (mailbox_.spilled() > kSpillMax) reactor_.hold_input(true);
  }
  void note_refusal(Reason reason, std::string_view path);

 private:
  static constexpr size_t kSpillMax = 16'384;   ///< control messages; what one read causes comes on top
  static constexpr size_t kMailPerTurn = 1024;  ///< from each shard, so that sockets are not starved by mail
  static constexpr uint64_t kSweepMs = 250;

  void on_accepted(int fd, const Peer& peer, const net::ListenerTraits& traits) override;
  void on_slow_reader(net::StreamHandler& handler, Reason reason) override;
  void answer(api::Ticket ticket, const http::Response& response) override;
  void give_up(api::Ticket ticket) override;
  void refuse(uint64_t ticket, Reason reason) override;
  hub::ShardIndex shards() const override { return common_.shards; }
  uint32_t place() const override { return common_.node * hub::kShardsMax + index_ + 1; }
  void adopt(std::unique_ptr<MovedConnection> moved) override;
  void want_keys(uint32_t app, const auth::KeySet* keys) override;
  bool send(auth::BackendTransport::Request request) override;
  void on_circuit(uint32_t app, bool open, long status, std::string_view why) override;
  Connection* install(net::Descriptor fd, const Peer& peer, Lease lease, bool tls,
                      std::unique_ptr<net::Transport> transport);
  /// Tells the API which apps' events Socket.IO clients may get.
  void set_readers();
  HttpSession* waiting(api::Ticket ticket) const;
  void admit(net::Descriptor fd, const Peer& peer, const net::ListenerTraits& traits, Lease lease);
  Reason take_place(Lease& lease, const Peer& peer);
  std::unique_ptr<net::Transport> transport_for(int fd, const net::ListenerTraits& traits);
  bool listener_resting() const;

  void turn();
  int64_t wait_us();
  bool room_noted() const;
  void read_clocks();
  void observe_fanout();
  void hand_over_listeners();
  void start_drain();
  void drain_some();
  bool finished();
  void note_drained(bool drained);

  Common& common_;
  std::shared_ptr<const config::Settings> settings_;
  hub::AppTable apps_;
  Traffic traffic_;
  TaskQueue tasks_;
  uint32_t index_;
  uint64_t now_us_;
  uint64_t now_ms_;
  uint64_t unix_now_ms_ = 0;
  uint64_t turned_us_;  ///< when the last turn ended
  LingerController linger_;
  net::Reactor reactor_;
  net::Wakeup wakeup_;
  net::Mailbox<hub::Command> mailbox_;
  TimerWheel wheel_;
  std::unique_ptr<ShardProgram> program_;  ///< outlives the sessions, which tell it of their end
  ShardSink sink_;
  hub::ShardHub hub_;
  auth::Authenticator authenticator_;
  auth::BackendDesk backend_;
  hub::Access access_;
  pusher::Shard pusher_;
  socketio::Shard socketio_;
  api::Service service_;
  api::ChannelAuth channel_auth_;
  http::ParserPool parsers_;
  net::TicketKeys tickets_;
  std::shared_ptr<const net::TlsContext> certificates_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::unique_ptr<net::Listener> admin_listener_;       ///< stays while draining: the figures are still asked for
  std::unordered_map<uint64_t, HttpSession*> waiting_;  ///< HTTP sessions that may get an answer later
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<Connection>> graves_;  ///< closed in this turn; freed at its end
  std::unordered_map<const net::Outbox*, hub::AppIndex> tails_;
  std::atomic<Request> request_{Request::kNone};
  uint64_t last_http_id_ = 0;
  uint64_t swept_ms_ = 0;
  std::string http_date_;
  uint64_t http_date_s_ = 0;
  uint64_t drain_from_us_ = 0;
  uint64_t drain_until_ms_ = 0;
  DrainSchedule drain_schedule_;
  size_t drain_closed_ = 0;
  bool draining_ = false;
  bool drained_ = false;  ///< counted in Common::drained
  bool stopped_ = false;
};

}  // namespace kilat::app
