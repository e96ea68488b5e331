// FoldedChannels: the channels of one session that its client wants folded, each with a flow rule for it alone.
// Owner: Session. Bounds: kMax channels, and what their rules may hold (message.cc). All of it counts for the hard
// limit of the connection's outbox and for the budget of the shard.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/timer_wheel.h"
#include "flow/engine.h"
#include "hub/publication.h"

namespace kilat::pusher {

class Session;

class FoldedChannels {
 public:
  static constexpr size_t kMax = 32;

  explicit FoldedChannels(Session& session) : session_(session) {}

  /// False: the rule makes no sense, or there are too many.
  bool add(std::string_view channel, const std::string& rule);
  void remove(std::string_view channel);
  /// Whether the event was of such a channel: then the session gets what the rule sends, now or later.
  bool take(const hub::Publication& publication);

 private:
  struct Channel : Timer {
    Channel(FoldedChannels& owner_in, std::string_view name_in, flow::RuleSetPtr rules);
    ~Channel();
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;
    FoldedChannels& owner;
    std::string name;
    flow::Engine engine;
    size_t held_max = 0;   ///< by the engine, since it held nothing
    uint32_t counted = 0;  ///< bytes, in Outbox::aside()
  };
  static void on_due(Timer& timer);
  Channel* find(std::string_view channel);
  void send(const std::vector<flow::Emission>& results);
  void watch(Channel& channel);
  void account(Channel& channel);

  Session& session_;
  std::vector<std::unique_ptr<Channel>> channels_;
};

}  // namespace kilat::pusher
