// The devices that are watched: rows of the database, and what is known of each at the moment. Belongs to the worker.
// Bounds: kDevicesMax devices, kRecentMax latencies of each.
#pragma once

#include <boost/json.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "common/database.h"
#include "noc/health.h"
#include "noc/probe.h"

namespace examples::noc {

struct Device {
  std::int64_t id = 0;
  std::string name;
  ProbeTarget target;
  std::string customer;  ///< whose it is; empty: ours
  double latency_ms_max = 0;
  std::string demo;  ///< which target of the demonstration it is; empty: a real one

  Health health;
  ProbeResult last;
  std::string_view demo_state = "running";
  std::int64_t since_ms = 0;  ///< when the status changed
  std::deque<double> recent;  ///< latencies, the newest last
  bool probing = false;
};

boost::json::object to_json(const Device& device);

class Devices {
 public:
  static constexpr std::size_t kDevicesMax = 64;
  static constexpr std::size_t kRecentMax = 60;
  static constexpr double kLatencyMsMax = 250;

  /// Makes the table when it is not there, and reads it.
  explicit Devices(Database& database);
  /// The device of a demonstration target, made at the first start. Its port is another at each start.
  void add_demo(std::string_view key, const Device& device);
  /// Throws DatabaseError; the caller has looked whether there is room.
  Device& add(Device device);
  bool full() const { return all_.size() >= kDevicesMax; }
  Device* find(std::int64_t id);
  /// One that is at the same address, port and path.
  const Device* find_same(const ProbeTarget& target) const;
  void remove(std::int64_t id);
  std::map<std::int64_t, Device>& all() { return all_; }

 private:
  Database& database_;
  std::map<std::int64_t, Device> all_;
};

}  // namespace examples::noc
