#include "noc/devices.h"

#include <cmath>
#include <utility>

namespace examples::noc {
namespace json = boost::json;

json::object to_json(const Device& device) {
  json::array recent;
  for (const double latency : device.recent) recent.emplace_back(std::round(latency * 100) / 100);
  json::object object{{"id", device.id},
                      {"name", device.name},
                      {"kind", name_of(device.target.kind)},
                      {"address", device.target.address},
                      {"port", device.target.port},
                      {"path", device.target.path},
                      {"customer_id", nullptr},
                      {"latency_ms_max", device.latency_ms_max},
                      {"demo", nullptr},
                      {"status", name_of(device.health.status())},
                      {"slow", device.health.slow()},
                      {"latency_ms", nullptr},
                      {"error", device.last.error},
                      {"since", device.since_ms},
                      {"recent", std::move(recent)}};
  if (!device.customer.empty()) object["customer_id"] = device.customer;
  if (!device.demo.empty()) object["demo"] = device.demo_state;
  if (device.last.answered) object["latency_ms"] = std::round(device.last.latency_ms * 100) / 100;
  return object;
}

Devices::Devices(Database& database) : database_(database) {
  database_.script(
      "create table if not exists devices (id integer primary key autoincrement, name text not null, kind text not "
      "null,"
      " address text not null, port integer not null, path text not null, customer text not null,"
      " latency_ms_max real not null, demo text not null)");
  Statement row = database_.query(
      "select id, name, kind, address, port, path, customer, latency_ms_max, demo from devices order by id");
  while (row.step()) {
    Device device;
    device.id = row.integer(0);
    device.name = row.text(1);
    device.target = {.kind = probe_kind_of(row.text(2)).value_or(ProbeKind::kTcp),
                     .address = row.text(3),
                     .port = static_cast<std::uint16_t>(row.integer(4)),
                     .path = row.text(5)};
    device.customer = row.text(6);
    device.latency_ms_max = row.real(7);
    device.demo = row.text(8);
    all_.emplace(device.id, std::move(device));
  }
}

void Devices::add_demo(std::string_view key, const Device& device) {
  for (auto& [id, known] : all_) {
    if (known.demo != key) continue;
    known.target.port = device.target.port;
    database_.run("update devices set port = ?1 where id = ?2", known.target.port, id);
    return;
  }
  add(device);
}

Device& Devices::add(Device device) {
  const ProbeTarget& target = device.target;
  database_.run(
      "insert into devices (name, kind, address, port, path, customer, latency_ms_max, demo)"
      " values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
      device.name, name_of(target.kind), target.address, target.port, target.path, device.customer,
      device.latency_ms_max, device.demo);
  device.id = database_.last_id();
  return all_.emplace(device.id, std::move(device)).first->second;
}

Device* Devices::find(std::int64_t id) {
  const auto found = all_.find(id);
  return found == all_.end() ? nullptr : &found->second;
}

const Device* Devices::find_same(const ProbeTarget& target) const {
  for (const auto& [id, known] : all_) {
    if (known.target.address == target.address && known.target.port == target.port &&
        known.target.path == target.path) {
      return &known;
    }
  }
  return nullptr;
}

void Devices::remove(std::int64_t id) {
  database_.run("delete from devices where id = ?1", id);
  all_.erase(id);
}

}  // namespace examples::noc
