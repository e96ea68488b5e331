#include "noc/centre.h"

#include <cmath>

#include "common/clock.h"

namespace examples::noc {
namespace json = boost::json;
namespace {

constexpr std::chrono::milliseconds kMeasureInterval{250};
constexpr std::chrono::milliseconds kBillingInterval{3000};

void add_accounts(Accounts& accounts) {
  if (accounts.find("admin")) return;
  accounts.add({.id = "admin", .name = "Nadia Admin", .roles = {"noc-admin"}}, "admin", "admin-demo");
  accounts.add({.id = "operator", .name = "Oskar Operator", .roles = {"operator"}}, "operator", "operator-demo");
  // The id of a customer's account is that of the customer.
  accounts.add({.id = "acme", .name = "Acme Logistics", .roles = {"customer"}}, "acme", "acme-demo");
  accounts.add({.id = "harbor", .name = "Harbor Foods", .roles = {"customer"}}, "harbor", "harbor-demo");
  accounts.add({.id = "lumen", .name = "Lumen Studio", .roles = {"customer"}}, "lumen", "lumen-demo");
}

void add_devices(Devices& devices, const DemoTargets& targets) {
  for (const DemoSpec& spec : demo_specs()) {
    Device device;
    device.name = spec.name;
    device.target = {.kind = spec.kind, .address = "127.0.0.1", .port = targets.port(spec.key), .path = "/"};
    device.customer = spec.customer;
    device.latency_ms_max = Devices::kLatencyMsMax;
    device.demo = spec.key;
    devices.add_demo(spec.key, device);
  }
}

}  // namespace

Centre::Centre(const Settings& settings, const Parts& parts)
    : server(parts.server),
      targets(parts.targets),
      database(settings.data / "noc.db"),
      accounts(database),
      emitter(parts.server),
      log(emitter),
      devices(database),
      alerts(database),
      billing(database),
      bandwidth(emitter),
      monitor({.worker = parts.worker,
               .network = parts.network,
               .devices = devices,
               .alerts = alerts,
               .log = log,
               .emitter = emitter}) {
  add_accounts(accounts);
  add_devices(devices, targets);
}

void Centre::begin(Worker& worker) {
  log.add(Level::kInfo, "centre", "begins to watch " + std::to_string(devices.all().size()) + " devices");
  monitor.tick();
  worker.every(Monitor::kInterval, [this] { monitor.tick(); });
  worker.every(kMeasureInterval, [this] {
    bandwidth.sample();
    figures = host.look();
    emitter.system_stats(stats());
  });
  worker.every(kBillingInterval, [this] { bill(); });
}

void Centre::bill() {
  if (const auto payment = billing.step()) emitter.payment_update(payment->json, payment->customer);
}

json::object Centre::stats() {
  return {{"at", unix_ms()},
          {"cpu_percent", std::round(figures.cpu_percent * 10) / 10},
          {"memory_used_bytes", figures.memory_used_bytes},
          {"memory_total_bytes", figures.memory_total_bytes},
          {"load", figures.load},
          {"connections", server.connections()}};
}

bool is_staff(const User& user) {
  return user.has_role("noc-admin") || user.has_role("operator");
}

}  // namespace examples::noc
