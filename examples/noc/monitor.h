// The monitoring service: looks at every device again and again, and says what has changed: status, alerts, log lines.
// Belongs to the worker; probes run on the network's thread and report back. A device is looked at by one probe at a
// time.
#pragma once

#include <chrono>
#include <functional>

#include "common/worker.h"
#include "noc/alerts.h"
#include "noc/devices.h"
#include "noc/emitter.h"
#include "noc/network.h"
#include "noc/network_log.h"

namespace examples::noc {

class Monitor {
 public:
  static constexpr std::chrono::milliseconds kInterval{500};
  static constexpr std::chrono::milliseconds kTimeout{2000};

  struct Parts {
    Worker& worker;
    Network& network;
    Devices& devices;
    Alerts& alerts;
    NetworkLog& log;
    Emitter& emitter;
  };
  explicit Monitor(const Parts& parts) : parts_(parts) {}

  /// Begins a look at every device that is not being looked at; called every kInterval.
  void tick();
  /// Tells everybody of a device as it is now.
  void tell(const Device& device) { parts_.emitter.device_status(to_json(device), device.customer); }
  /// Forgets a device; its alerts are resolved.
  void remove(const Device& device);

 private:
  void observe(std::int64_t id, const ProbeResult& result);
  void status_changed(Device& device);
  void slowness_changed(const Device& device);
  void raise(const Device& device, std::string_view kind, std::string_view message);
  void resolve(const Device& device, std::string_view kind);
  Parts parts_;
};

}  // namespace examples::noc
