#include "noc/emitter.h"

#include <string>

namespace examples::noc {
namespace json = boost::json;

void Emitter::device_status(const json::object& device, std::string_view customer) {
  publish("devices", "device:status", device);
  publish_to(customer, "customer:device", device);
}

void Emitter::device_removed(std::int64_t id, std::string_view customer) {
  publish("devices", "device:removed", {{"id", id}});
  publish_to(customer, "customer:device-removed", {{"id", id}});
}

void Emitter::device_latency(const json::object& latencies) {
  publish("devices", "device:latency", latencies);
}

void Emitter::new_alert(const json::object& alert, std::string_view customer) {
  publish("alerts", "alert:new", alert);
  publish_to(customer, "customer:alert", alert);
}

void Emitter::alert_updated(const json::object& alert, std::string_view customer) {
  publish("alerts", "alert:updated", alert);
  publish_to(customer, "customer:alert", alert);
}

void Emitter::bandwidth(const json::object& sample) {
  publish("bandwidth", "bandwidth:update", sample);
}

void Emitter::payment_update(const json::object& payment, std::string_view customer) {
  publish("payments", "payment:update", payment);
  publish_to(customer, "customer:payment", payment);
}

void Emitter::network_log(const json::object& line) {
  publish("logs", "network:log", line);
}

void Emitter::system_stats(const json::object& stats) {
  publish("stats", "stats:update", stats);
}

void Emitter::publish(std::string_view channel, std::string_view event, const json::object& data) {
  server_.publish(kApp, channel, event, data);
}

void Emitter::publish_to(std::string_view customer, std::string_view event, const json::object& data) {
  if (!customer.empty()) publish("customer." + std::string(customer), event, data);
}

}  // namespace examples::noc
