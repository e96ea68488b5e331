// Emitter: what a backend does with sockets (docs/socketio.md, "Emitting over HTTP"): events to any selection of them,
// with acknowledgements, and joining, leaving, disconnecting and listing. Each order goes to all shards, each does its
// part. Owner: Shard. Bounds: kOrdersMax orders that wait for other shards; acknowledgements wait kAckMsMax at most.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/timer_wheel.h"
#include "http/request.h"
#include "hub/app_table.h"
#include "socketio/letters.h"
#include "socketio/publishes.h"

namespace kilat::socketio {

class EmitBody;

/// What becomes of a request to the emit API.
struct EmitOutcome {
  Reason refused = Reason::kNone;
  std::string detail;
  std::optional<std::string> json;  ///< the answer; nothing: it comes later, through Host::answer
};

class Emitter {
 public:
  static constexpr size_t kOrdersMax = 10'000;
  static constexpr uint64_t kAckMsMax = 30'000;
  static constexpr size_t kListedMax = 10'000;

  explicit Emitter(Shard& shard) : shard_(shard) {}
  ~Emitter();

  /// A request whose signature was checked. `action`: the path behind /apps/ID/socketio/.
  EmitOutcome handle(const http::Request& request, std::string_view action, const hub::App& app, uint64_t ticket);

  /// How many are connected, to be written into an answer that comes later (Host::answer); for status_path.
  void ask_count(uint64_t ticket, std::string_view before, std::string_view behind);

  // From the program that has Kilat inside.
  /// An event on its way: `list` is a JSON list whose placeholders name the attachments.
  struct Event {
    std::string_view name;
    std::string_view list;
    std::span<const std::string_view> attachments;
    bool is_volatile = false;
  };
  /// What all that were asked have answered: the first argument of each, as JSON.
  using Acks = std::move_only_function<void(std::vector<std::string> acks, uint64_t asked)>;
  using Done = std::move_only_function<void(const OperationReply& reply)>;
  /// Sends the event to what is selected. kNone, or why it was refused, as far as that is known at once: a home
  /// elsewhere and the disk are not heard. Nobody got it then, but of several channels that keep or fold it, those
  /// before.
  Reason emit(const Event& event, Selection to);
  /// Asks everybody selected for an acknowledgement; `acks` is called once, on this shard, after `ack_ms` at most.
  /// False when too many wait already.
  bool ask(const Event& event, Selection to, uint64_t ack_ms, Acks acks);
  /// Has the operation done on all shards; `done`, which may be empty, is called on this one. False as above.
  bool operate(Operation operation, Done done);
  /// An id for an acknowledgement that no request waits for.
  uint64_t new_ack_id() { return ++last_id_ * shard_.host.shards() + shard_.hub.shard(); }

  // From sockets.
  void on_ack(Socket& socket, uint64_t id, std::string_view payload, std::span<const std::string> attachments);
  /// A socket ends: it will not acknowledge anything.
  void forget(Socket& socket);

  void on_letter(hub::ShardIndex from, LetterBody& body);

 private:
  /// Acknowledgements that a request waits for.
  struct Gathering : Timer {
    Gathering() : Timer(&Gathering::on_timer) {}
    static void on_timer(Timer& timer);
    Emitter* emitter = nullptr;
    uint64_t id = 0;
    uint64_t ticket = 0;
    size_t shards_awaited = 0;
    uint64_t asked = 0;
    uint64_t settled = 0;
    std::vector<std::string> acks;
    Acks done;  ///< empty: a request waits
  };
  /// The sockets of this shard that were asked, and have not answered.
  struct Unanswered : Timer {
    Unanswered() : Timer(&Unanswered::on_timer) {}
    static void on_timer(Timer& timer);
    Emitter* emitter = nullptr;
    uint64_t id = 0;
    hub::ShardIndex origin = 0;
    std::vector<hub::SocketId> sockets;
  };
  struct Waiting {
    Operation::Kind kind = Operation::Kind::kCount;
    uint64_t ticket = 0;
    size_t shards_awaited = 0;
    OperationReply gathered;
    bool user_state = false;
    std::string before;  ///< around the answer of ask_count()
    std::string behind;
    Done done;  ///< empty: a request waits
  };

  EmitOutcome emit(const EmitBody& body, const hub::App& app, const Namespace& nsp, uint64_t ticket);
  EmitOutcome operate(Operation operation, uint64_t ticket);
  void start(Operation operation, Waiting waiting);
  /// `packet`: what pack() makes of the event. `asks`: for acknowledgements.
  std::shared_ptr<Broadcast> prepare(const Event& event, std::string_view packet, Selection to, bool asks);
  std::shared_ptr<const EmitAudience> take_carriers(hub::AppIndex app, Selection& to);
  /// What is known at once; nothing: `done` hears it. See Publishes::publish.
  std::optional<Reason> send(const std::shared_ptr<Broadcast>& order, Publishes::Done done);
  void gather(const std::shared_ptr<Broadcast>& order, uint64_t ack_ms, uint64_t ticket, Acks done);
  bool full() const { return waiting_.size() + gatherings_.size() >= kOrdersMax; }
  /// Every shard gets `order`, this one included.
  template <typename Order>
  void send_everywhere(const Order& order) {
    for (hub::ShardIndex shard = 0; shard < shard_.host.shards(); ++shard) {
      shard_.hub.post(shard, std::make_unique<Letter>(order));
    }
  }
  static bool is_for_one_channel(const Broadcast& order);
  std::vector<Socket*> select(const Selection& selection);
  void broadcast(const Broadcast& order);
  void deliver_to_pusher(const Broadcast& order);
  OperationReply carry_out(const Operation& operation);
  void settle(uint64_t id, std::optional<std::string> ack);
  void finish(Gathering& gathering);
  void on_reply(OperationReply& reply);
  static std::string json_of(const Waiting& waiting);
  void answer(uint64_t ticket, std::string json);
  hub::ShardIndex origin_of(uint64_t ack_id) const;

  Shard& shard_;
  uint64_t last_id_ = 0;
  std::unordered_map<uint64_t, std::unique_ptr<Gathering>> gatherings_;
  std::unordered_map<uint64_t, std::unique_ptr<Unanswered>> unanswered_;
  std::unordered_map<uint64_t, Waiting> waiting_;
};

}  // namespace kilat::socketio
