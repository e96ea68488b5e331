#include "cli/telemetry.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "base/json_text.h"

namespace kilat::cli {
namespace {

double delta(uint64_t before, uint64_t now) {
  return now > before ? static_cast<double>(now - before) : 0;
}

std::string decimal(double value) {
  std::array<char, 48> out{};
  std::snprintf(out.data(), out.size(), "%.3f", std::isfinite(value) ? value : 0.0);
  std::string text(out.data());
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string payload(const Reading& reading, uint64_t time_ms) {
  const std::string sensor = json_string(reading.sensor);
  return "{\"data\":{\"channel\":" + sensor + ",\"value\":" + decimal(reading.value) +
         ",\"timestamp\":" + decimal(static_cast<double>(time_ms) / 1000) + ",\"unit\":" + json_string(reading.unit) +
         "},\"timestamp\":" + json_string(iso_time(time_ms)) + ",\"channel\":" + sensor + "}";
}

}  // namespace

std::vector<Reading> readings_between(const HostSample& before, const HostSample& now) {
  const double seconds = delta(before.time_ms, now.time_ms) / 1000;
  const auto rate = [&](uint64_t a, uint64_t b) { return seconds > 0 ? delta(a, b) / seconds : 0; };
  const double ticks = delta(before.cpu.total, now.cpu.total);
  const double cpu = ticks > 0 ? std::min(100.0, 100 * delta(before.cpu.busy, now.cpu.busy) / ticks) : 0;
  return {
      {"host.cpu", cpu, "%"},
      {"host.memory", now.memory_percent, "%"},
      {"host.load1", now.load1, ""},
      {"host.net_rx", rate(before.network.in, now.network.in), "B/s"},
      {"host.net_tx", rate(before.network.out, now.network.out), "B/s"},
      {"host.disk_read", rate(before.disks.in, now.disks.in), "B/s"},
      {"host.disk_write", rate(before.disks.out, now.disks.out), "B/s"},
      {"host.uptime", now.uptime_s, "s"},
  };
}

std::vector<std::string> batch_bodies(const std::vector<Reading>& readings, uint64_t unix_time_ms, size_t batch_max) {
  std::vector<std::string> out;
  for (size_t i = 0; i < readings.size(); ++i) {
    const bool first = i % batch_max == 0;
    if (first) out.emplace_back("{\"batch\":[");
    out.back() += (first ? "" : ",") + std::string(R"({"channel":"scada-data","name":"scada.data.received","data":)") +
                  json_string(payload(readings[i], unix_time_ms)) + "}";
  }
  for (std::string& body : out) body += "]}";
  return out;
}

std::string iso_time(uint64_t unix_time_ms) {
  const auto seconds = static_cast<time_t>(unix_time_ms / 1000);
  tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> stamp{};
  const size_t length = strftime(stamp.data(), stamp.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::array<char, 8> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03uZ", static_cast<unsigned>(unix_time_ms % 1000));
  return std::string(stamp.data(), length) + fraction.data();
}

}  // namespace kilat::cli
