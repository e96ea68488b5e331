// All parts of the program, for its routes. Made and ended by Scada (scada.cc); each part says which threads may use
// it.
#pragma once

#include <kilat/server.h>

#include <atomic>
#include <boost/json.hpp>
#include <functional>
#include <future>
#include <mutex>
#include <string>
#include <vector>

#include "common/accounts.h"
#include "common/database.h"
#include "common/system.h"
#include "common/tokens.h"
#include "common/worker.h"
#include "scada/desk.h"
#include "scada/feeder.h"
#include "scada/performance.h"
#include "scada/plant.h"
#include "scada/store.h"
#include "scada/watch.h"

namespace examples::scada {

/// Where the app's credentials come from: the variables that Laravel has, or the defaults of kilat.toml.
struct Credentials {
  std::string id;
  std::string key;
  std::string secret;
};

/// What the last second brought; any thread.
class Pulse {
 public:
  /// `taken`: all readings that were acknowledged since the start.
  void beat(std::uint64_t taken, std::chrono::steady_clock::time_point now);
  void set_queue(boost::json::object queue);
  std::int64_t per_second() const;
  boost::json::object queue() const;

 private:
  mutable std::mutex mutex_;
  std::chrono::steady_clock::time_point at_{};
  std::uint64_t taken_ = 0;
  std::int64_t per_second_ = 0;
  boost::json::object queue_;
};

struct Context {
  Context(const Settings& settings, Credentials app);

  /// What GET /api/status answers. Any thread.
  boost::json::object status() const;
  /// Watches readings that were acknowledged; alarms are kept and told. Any thread.
  void watch_readings(const std::vector<Reading>& readings);
  /// Keeps alarms, and tells the page. Any thread.
  void tell(std::vector<Alarm> alarms);
  /// Each second, on the storage thread.
  void on_tick();

  Settings settings;
  Credentials app;
  std::string receiver_key;  ///< what gateways must show as a bearer token; empty: nothing
  Tokens tokens;
  kilat::Server server;
  Performance performance;
  Store store;             ///< on `storage` only
  Database gate_database;  ///< the same file, for `accounts`
  Accounts accounts;       ///< on `gate` only
  Plant plant;
  Watch watch;
  Pulse pulse;
  std::atomic<std::uint64_t> received = 0;   ///< readings of gateways that were acknowledged
  std::atomic<std::size_t> inlet_bytes = 0;  ///< of requests of gateways that wait
  std::atomic<int> logins = 0;               ///< that wait
  std::atomic<bool> load_test_runs = false;
  std::promise<kilat::PublisherOptions> address_promise;
  Address address;
  std::chrono::steady_clock::time_point last_tick{};  ///< of `storage`
  int ticks = 0;
  Feeder feeder;
  Worker storage;
  Worker gate;   ///< logins, so that a flood of them holds up nothing else
  Desk inlet;    ///< readings of gateways
  Desk queries;  ///< history, queue and failed jobs
  Desk load;     ///< load tests
};

// Routes, in files of these names.
void add_reading_routes(Context& context);
void add_control_routes(Context& context);
void add_report_routes(Context& context);

}  // namespace examples::scada
