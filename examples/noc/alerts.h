// Alerts: created when something is wrong, acknowledged by a person, resolved when it is right again. Each kind is open
// once for a device at most. Belongs to the worker. Bound: the last kAlertsMax are kept.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/database.h"
#include "noc/devices.h"

namespace examples::noc {

struct Alert {
  boost::json::object json;
  std::string customer;
};

class Alerts {
 public:
  static constexpr int kAlertsMax = 1000;
  enum class Refused { kUnknown, kAcknowledged, kResolved };

  explicit Alerts(Database& database);
  /// `kind`: "offline" or "latency". Nothing when it is open already.
  std::optional<Alert> raise(const Device& device, std::string_view kind, std::string_view message);
  /// Nothing when none was open.
  std::optional<Alert> resolve(std::int64_t device, std::string_view kind);
  std::expected<Alert, Refused> acknowledge(std::int64_t id, std::string_view who);
  /// The newest first; `customer`: only of their devices, unless empty.
  boost::json::array list(int limit, std::string_view customer = {});

 private:
  std::optional<Alert> find(std::int64_t id);
  Database& database_;
};

}  // namespace examples::noc
