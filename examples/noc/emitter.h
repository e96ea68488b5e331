// Everything that this system tells its clients: which event goes to which rooms. A room is a channel, so pusher-js
// reads it as well. Any thread; calls of one thread keep their order. Rooms and who may read them: kilat.toml.
#pragma once

#include <kilat/server.h>

#include <boost/json.hpp>
#include <string_view>

namespace examples::noc {

inline constexpr std::string_view kApp = "noc";

class Emitter {
 public:
  explicit Emitter(kilat::Server& server) : server_(server) {}

  /// A device went online or offline, slow or quick, or was added. `customer`: whose it is, or empty.
  void device_status(const boost::json::object& device, std::string_view customer);
  void device_removed(std::int64_t id, std::string_view customer);
  /// What the last polls took, all devices in one event.
  void device_latency(const boost::json::object& latencies);
  void new_alert(const boost::json::object& alert, std::string_view customer);
  /// An alert was acknowledged or resolved.
  void alert_updated(const boost::json::object& alert, std::string_view customer);
  void bandwidth(const boost::json::object& sample);
  /// An invoice was issued or paid.
  void payment_update(const boost::json::object& payment, std::string_view customer);
  void network_log(const boost::json::object& line);
  void system_stats(const boost::json::object& stats);

 private:
  void publish(std::string_view channel, std::string_view event, const boost::json::object& data);
  /// To the customer's own room; events have other names there, because staff may read both rooms.
  void publish_to(std::string_view customer, std::string_view event, const boost::json::object& data);
  kilat::Server& server_;
};

}  // namespace examples::noc
