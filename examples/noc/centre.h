// All that the worker of this system owns: database, accounts, devices, alerts, billing, figures. Made and used on the
// worker only, so it has no locks.
#pragma once

#include <kilat/server.h>

#include <string_view>

#include "common/accounts.h"
#include "common/database.h"
#include "common/system.h"
#include "common/worker.h"
#include "noc/alerts.h"
#include "noc/bandwidth.h"
#include "noc/billing.h"
#include "noc/devices.h"
#include "noc/emitter.h"
#include "noc/host.h"
#include "noc/monitor.h"
#include "noc/network.h"
#include "noc/network_log.h"
#include "noc/targets.h"

namespace examples::noc {

struct Centre {
  struct Parts {
    kilat::Server& server;
    Worker& worker;
    Network& network;
    DemoTargets& targets;
  };
  /// Reads the database, or makes it with what the demonstration begins with.
  Centre(const Settings& settings, const Parts& parts);
  Centre(const Centre&) = delete;
  Centre& operator=(const Centre&) = delete;

  /// Polls, measures and bills from now on.
  void begin(Worker& worker);
  void bill();
  boost::json::object stats();

  kilat::Server& server;
  DemoTargets& targets;
  Database database;
  Accounts accounts;
  Emitter emitter;
  NetworkLog log;
  Devices devices;
  Alerts alerts;
  Billing billing;
  Bandwidth bandwidth;
  Host host;
  HostFigures figures;
  Monitor monitor;
};

/// Who works here, and may see and do everything but what only an admin may.
bool is_staff(const User& user);

}  // namespace examples::noc
