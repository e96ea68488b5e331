// The devices of the demonstration: small TCP and HTTP servers on loopback, each on a port of its own, that can be
// stopped, started and slowed down. A stopped one keeps its port bound but does not listen, so that it refuses
// connections and nobody else gets the port. They run on the thread of the Network; set() may be called from any
// thread. Bounds: kSessionsMax connections at a time for each, one request of kAnswerBytesMax within kSessionTime.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "noc/network.h"
#include "noc/probe.h"

namespace examples::noc {

enum class TargetState { kRunning, kSlow, kStopped };
std::string_view name_of(TargetState state);

/// What the demonstration begins with.
struct DemoSpec {
  std::string_view key;  ///< in the database
  std::string_view name;
  ProbeKind kind;
  std::string_view customer;  ///< whose it is; empty: ours
};
const std::vector<DemoSpec>& demo_specs();

class DemoTarget;

class DemoTargets {
 public:
  static constexpr std::size_t kSessionsMax = 32;
  static constexpr std::chrono::milliseconds kSlowness{700};
  static constexpr std::chrono::seconds kSessionTime{5};

  /// Binds all ports. Before the network's thread runs. Throws std::system_error.
  explicit DemoTargets(Network& network);
  ~DemoTargets();
  DemoTargets(const DemoTargets&) = delete;
  DemoTargets& operator=(const DemoTargets&) = delete;

  /// The port of a target, for its whole life. `key` is one of demo_specs().
  std::uint16_t port(std::string_view key) const;
  void set(std::string_view key, TargetState state);

 private:
  const std::shared_ptr<DemoTarget>& find(std::string_view key) const;
  Network& network_;
  std::vector<std::pair<std::string, std::shared_ptr<DemoTarget>>> targets_;
};

}  // namespace examples::noc
