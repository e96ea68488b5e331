// What a run is to do: the options of `kilat bench`, checked and completed. Main thread; constant during a run.
#pragma once

#include <cstdint>
#include <string>

#include "cli/bench/ledger.h"
#include "cli/sign.h"
#include "cli/target.h"

namespace kilat::cli::bench {

enum class Via : uint8_t { kClientEvents, kHttp };

/// The options as they were given. 0 and "" mean: not given.
struct Options {
  TargetOptions target;
  std::string host;
  uint16_t port = 0;
  std::string ca;         ///< file of certificates to trust
  bool insecure = false;  ///< trust any
  uint32_t connections = 100;
  uint32_t channels = 1;
  uint32_t payload_bytes = 200;
  std::string rate = "100";
  uint32_t window = 64;
  std::string via = "client-events";
  uint32_t publishers = 0;
  uint32_t http_connections = 8;
  double duration_s = 10;
  double warmup_s = 1;
  double drain_s = 5;
  uint32_t connect_rate = 1000;
  bool json = false;
};

struct Plan {
  std::string host;
  bool tls = false;
  std::string ca;
  bool insecure = false;
  uint16_t port = 0;
  std::string path_prefix;
  std::string app_id;
  Credentials credentials;
  Via via = Via::kClientEvents;
  LedgerShape shape;
  uint32_t payload_bytes = 0;
  uint64_t rate = 0;  ///< publishes a second; 0: as fast as the window allows
  uint32_t window = 0;
  uint64_t duration_ns = 0;
  uint64_t warmup_ns = 0;
  uint64_t drain_ns = 0;
  uint32_t connect_rate = 0;
  uint32_t run = 0;  ///< random: tells this run's channels and messages from those of others

  /// Channel number `index`; all names have one length, so the marker lies at one place in every message.
  std::string channel_name(uint32_t index) const;
  /// "127.0.0.1:6001", with brackets around an IPv6 address.
  std::string authority() const;
  /// "wss://127.0.0.1:6001/prefix".
  std::string url() const;
};

/// Checks the options and finds server and app as the other commands do. `run` is any random number.
Outcome<Plan> make_plan(const Options& options, uint32_t run);

}  // namespace kilat::cli::bench
