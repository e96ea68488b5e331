// FoldedChannels: the channels of one session that its client wants folded, each with a flow rule for it alone.
// Owner: Session. Bounds: kMax channels, and what their rules may hold (message.cc).
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
    FoldedChannels& owner;
    std::string name;
    flow::Engine engine;
  };
  static void on_due(Timer& timer);
  Channel* find(std::string_view channel);
  void send(const Channel& channel, const std::vector<flow::Emission>& results);
  void watch(Channel& channel);

  Session& session_;
  std::vector<std::unique_ptr<Channel>> channels_;
};

}  // namespace kilat::pusher
