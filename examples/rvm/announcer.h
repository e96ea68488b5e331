// What happens to the fleet, told to the pages: the two events and their channels. Called on the worker.
#pragma once

#include <kilat/server.h>

#include <string>

#include "rvm/fleet.h"

namespace examples::rvm {

class Announcer {
 public:
  Announcer(kilat::Server& server, Fleet& fleet) : server_(server), fleet_(fleet) {}

  /// The app that clients connect to; before the first event.
  void set_app(std::string id) { app_ = std::move(id); }
  /// `rvm.status.updated` to both channels. After the commit, so that nobody hears of what may be undone.
  void status_updated(const Change& change);
  /// `dashboard.data.updated` to staff; a flow rule of kilat.toml keeps it to one a second.
  void dashboard_updated();
  /// Goes along with the figures, for the switch on the pages.
  void set_simulating(bool on) { simulating_ = on; }
  bool simulating() const { return simulating_; }
  json::object dashboard();

 private:
  kilat::Server& server_;
  Fleet& fleet_;
  std::string app_;
  bool simulating_ = false;
};

}  // namespace examples::rvm
