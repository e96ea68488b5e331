#include "rvm/announcer.h"

namespace examples::rvm {
namespace {

constexpr std::string_view kPublic = "rvm-status";
constexpr std::string_view kStaff = "private-admin-dashboard";

}  // namespace

void Announcer::status_updated(const Change& change) {
  server_.publish(app_, kPublic, "rvm.status.updated", public_event(change));
  server_.publish(app_, kStaff, "rvm.status.updated", staff_event(change));
  dashboard_updated();
}

void Announcer::dashboard_updated() {
  server_.publish(app_, kStaff, "dashboard.data.updated", dashboard());
}

json::object Announcer::dashboard() {
  json::object board = fleet_.dashboard(unix_ms());
  board["simulation"] = simulating_;
  return board;
}

}  // namespace examples::rvm
