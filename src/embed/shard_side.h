// ShardSide: the program's side of one shard: calls its handlers, each guarded, and does what they ask for.
// Owner: app::Shard; on its thread, except for enqueue(). Bounds: kNamedMax names of handlers in the log; the rest is
// bounded by what it stands for.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/program.h"
#include "app/shard.h"
#include "embed/http_side.h"
#include "embed/link.h"
#include "embed/pusher_side.h"
#include "embed/repeating.h"
#include "embed/socket_side.h"

namespace kilat::embed {

class ShardSide final : public app::ShardProgram {
 public:
  using Task = std::move_only_function<void()>;

  ShardSide(app::Shard& shard, std::shared_ptr<io::detail::Link> link, std::shared_ptr<PusherTable> pusher,
            std::shared_ptr<RouteTable> routes);
  ~ShardSide() override;

  /// The side for which this thread works; null outside of handlers and tasks.
  static ShardSide* current();
  /// Makes `side` the current one meanwhile.
  class Scope {
   public:
    explicit Scope(ShardSide& side);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    ShardSide* before_;
  };

  app::Shard& shard() { return shard_; }
  io::detail::Link& link() { return *link_; }
  const std::shared_ptr<io::detail::Link>& shared_link() const { return link_; }
  SocketSide& socket_side() { return sockets_; }

  /// Any thread: has it done between two turns. False when the shard has ended.
  bool enqueue(Task task);
  /// On this thread: has it done later, when nothing of the server is on the stack. Also when the shard ends.
  void later(Task task);

  /// Starts a timer of the program; `end` is for itself.
  void begin(RepeatingPtr timer);
  void end(Repeating& timer);

  /// Runs code of the program: `what` and `name` say which in the log. Nothing it throws gets out; returns whether it
  /// threw nothing.
  template <typename Function>
  bool guard(std::string_view what, std::string_view name, Function&& function) {
    const Call call(*this, what, name);
    try {
      function();
      return true;
    } catch (...) {
      note_exception(what, name);
      return false;
    }
  }

  socketio::Handlers* sockets() override { return &sockets_; }
  pusher::Handlers* pusher() override { return pusher_.wanted() ? &pusher_ : nullptr; }
  Taken on_request(const WebRequest& request, http::Response& response) override;
  void on_end() override;

 private:
  static constexpr size_t kNamedMax = 1'000;

  /// Measures one call.
  class Call {
   public:
    Call(ShardSide& side, std::string_view what, std::string_view name);
    ~Call();
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

   private:
    Scope scope_;
    ShardSide& side_;
    std::string_view what_;
    std::string_view name_;
    uint64_t began_us_;
  };

  struct Named {
    uint64_t at_us = 0;
    uint64_t times = 0;  ///< since then
  };

  /// How often it has happened since it was in the log last, if it is time to say so again.
  std::optional<uint64_t> may_name(std::string_view event, std::string_view what, std::string_view name);
  void note_exception(std::string_view what, std::string_view name) noexcept;
  void note_slow(std::string_view what, std::string_view name, uint64_t took_us) noexcept;
  void run_later();

  app::Shard& shard_;
  std::shared_ptr<io::detail::Link> link_;
  SocketSide sockets_;
  PusherSide pusher_;
  HttpSide http_;
  std::vector<Task> later_;
  std::vector<RepeatingPtr> timers_;
  TextMap<Named> named_;  ///< handlers that were slow or threw
};

}  // namespace kilat::embed
