// The part of Api that is about devices, and about the targets of the demonstration.
#include <cstdlib>
#include <utility>

#include "noc/address.h"
#include "noc/api.h"
#include "noc/input.h"

namespace examples::noc {
namespace json = boost::json;
namespace web = kilat::web;
namespace {

Device& require_device(Centre& centre, const web::Request& request) {
  Device* device = centre.devices.find(id_of(request));
  if (device == nullptr) throw Refusal(404, "there is no such device");
  return *device;
}

/// Throws Refusal for an address that may not be watched. The variable NOC_ANY_ADDRESS=1 lifts that.
std::string watched_address(const Input& input) {
  const std::optional<std::string> address = normal_address(input.text("address", 64));
  if (!address) throw Refusal(400, "address must be an IP address");
  const char* any = std::getenv("NOC_ANY_ADDRESS");
  const bool anything = any != nullptr && std::string_view(any) == "1";
  if (!anything && !is_private(*address)) {
    throw Refusal(403, "only addresses of loopback and private networks are watched");
  }
  return *address;
}

Device device_of(const Input& input, Billing& billing) {
  Device device;
  device.name = input.text("name", 60);
  const std::optional<ProbeKind> kind = probe_kind_of(input.optional_text("kind", 10).value_or("tcp"));
  if (!kind) throw Refusal(400, "kind must be tcp, banner or http");
  device.target = {.kind = *kind,
                   .address = watched_address(input),
                   .port = static_cast<std::uint16_t>(input.integer("port", 1, 65'535)),
                   .path = input.optional_text("path", 200).value_or("/")};
  if (!device.target.path.starts_with('/') || device.target.path.contains(' ')) {
    throw Refusal(400, "path must begin with / and have no spaces");
  }
  device.latency_ms_max = input.number_or("latency_ms_max", Devices::kLatencyMsMax, 1, 2000);
  device.customer = input.optional_text("customer_id", 40).value_or("");
  if (!device.customer.empty() && !billing.is_customer(device.customer)) throw Refusal(400, "no such customer");
  return device;
}

}  // namespace

void Api::add_device_routes() {
  route("GET", "/api/devices", Access::kEverybody, [this](const Request&, const auto&) {
    json::array devices;
    for (const auto& [id, device] : centre_->devices.all()) devices.emplace_back(to_json(device));
    return Response::json({{"devices", std::move(devices)}});
  });
  route("POST", "/api/devices", Access::kStaff,
        [this](const Request& request, const auto& user) { return add_device(request, *user); });
  route("DELETE", "/api/devices/:id", Access::kStaff, [this](const Request& request, const auto& user) {
    const Device& device = require_device(*centre_, request);
    if (!device.demo.empty()) throw Refusal(409, "the devices of the demonstration stay");
    centre_->log.add(Level::kInfo, user->name, "removed " + device.name);
    centre_->monitor.remove(device);
    return Response::json({{"removed", true}});
  });
}

web::Response Api::add_device(const Request& request, const User& user) {
  Device wanted = device_of(Input(request), centre_->billing);
  if (centre_->devices.full()) throw Refusal(409, "no room for more devices");
  if (centre_->devices.find_same(wanted.target) != nullptr) throw Refusal(409, "this is watched already");
  const Device& device = centre_->devices.add(std::move(wanted));
  centre_->log.add(Level::kInfo, user.name, "added " + device.name);
  centre_->monitor.tell(device);
  return web::Response::json({{"device", to_json(device)}}, 201);
}

void Api::add_demo_route() {
  route("POST", "/api/demo/devices/:id/:action", Access::kStaff, [this](const Request& request, const auto& user) {
    Device& device = require_device(*centre_, request);
    if (device.demo.empty()) throw Refusal(409, "this is a real device");
    const std::string& action = request.params.at("action");
    if (action != "stop" && action != "start" && action != "slow") throw Refusal(404, "stop, start or slow");
    const TargetState state = action == "stop"   ? TargetState::kStopped
                              : action == "slow" ? TargetState::kSlow
                                                 : TargetState::kRunning;
    centre_->targets.set(device.demo, state);
    device.demo_state = name_of(state);
    centre_->log.add(Level::kInfo, user->name, action + ": " + device.name);
    centre_->monitor.tell(device);
    return Response::json({{"device", to_json(device)}}, 202);
  });
}

}  // namespace examples::noc
