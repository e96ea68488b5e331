#include "noc/monitor.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <string>

#include "common/clock.h"

namespace examples::noc {
namespace json = boost::json;
namespace {

std::string ms_text(double ms) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), ms < 10 ? "%.1f ms" : "%.0f ms", ms);
  return text.data();
}

}  // namespace

void Monitor::tick() {
  json::array latencies;
  for (auto& [id, device] : parts_.devices.all()) {
    if (device.health.status() != Status::kUnknown) {
      json::object entry{{"id", id}, {"latency_ms", nullptr}};
      if (device.last.answered) entry["latency_ms"] = std::round(device.last.latency_ms * 100) / 100;
      latencies.emplace_back(std::move(entry));
    }
    if (device.probing) continue;
    device.probing = true;
    // The worker outlives the network's thread, and the monitor its worker's last task.
    probe(parts_.network.context(), device.target, kTimeout, [this, number = id](ProbeResult result) {
      parts_.worker.post([this, number, result = std::move(result)] { observe(number, result); });
    });
  }
  parts_.emitter.device_latency({{"at", unix_ms()}, {"devices", std::move(latencies)}});
}

void Monitor::observe(std::int64_t id, const ProbeResult& result) {
  Device* device = parts_.devices.find(id);
  if (device == nullptr) return;  // removed while it was looked at
  device->probing = false;
  device->last = result;
  if (result.answered) {
    device->recent.push_back(result.latency_ms);
    if (device->recent.size() > Devices::kRecentMax) device->recent.pop_front();
  }
  parts_.log.add(Level::kDebug, device->name,
                 result.answered ? "answered in " + ms_text(result.latency_ms) : "no answer: " + result.error);
  const Health::Change change = device->health.observe(result.answered, result.latency_ms, device->latency_ms_max);
  if (change.status) status_changed(*device);
  if (change.slow) slowness_changed(*device);
  if (change.status || change.slow) tell(*device);
}

void Monitor::status_changed(Device& device) {
  device.since_ms = unix_ms();
  if (device.health.status() == Status::kOffline) {
    parts_.log.add(Level::kError, device.name, "went offline: " + device.last.error);
    raise(device, "offline", device.name + " does not answer: " + device.last.error);
  } else {
    parts_.log.add(Level::kInfo, device.name, "is online");
    resolve(device, "offline");
    // One of before a restart of this program, which nothing else would resolve.
    if (device.last.latency_ms < device.latency_ms_max) resolve(device, "latency");
  }
}

void Monitor::slowness_changed(const Device& device) {
  if (device.health.slow()) {
    const std::string text =
        "takes " + ms_text(device.last.latency_ms) + ", more than " + ms_text(device.latency_ms_max);
    parts_.log.add(Level::kWarning, device.name, text);
    raise(device, "latency", device.name + " " + text);
  } else {
    if (device.health.status() == Status::kOnline) {
      parts_.log.add(Level::kInfo, device.name, "is as quick as it should be");
    }
    resolve(device, "latency");
  }
}

void Monitor::raise(const Device& device, std::string_view kind, std::string_view message) {
  if (const auto alert = parts_.alerts.raise(device, kind, message)) {
    parts_.emitter.new_alert(alert->json, alert->customer);
  }
}

void Monitor::resolve(const Device& device, std::string_view kind) {
  if (const auto alert = parts_.alerts.resolve(device.id, kind)) {
    parts_.emitter.alert_updated(alert->json, alert->customer);
  }
}

void Monitor::remove(const Device& device) {
  resolve(device, "offline");
  resolve(device, "latency");
  parts_.log.add(Level::kInfo, device.name, "is not watched any more");
  parts_.emitter.device_removed(device.id, device.customer);
  parts_.devices.remove(device.id);
}

}  // namespace examples::noc
