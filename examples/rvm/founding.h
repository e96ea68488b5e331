// What is there at the first start: 24 machines, and a demo account for each role. On the worker's database, before the
// worker has begun.
#pragma once

#include "common/accounts.h"
#include "rvm/fleet.h"

namespace examples::rvm {

/// The password of all demo accounts; their logins are listed in README.md.
inline constexpr std::string_view kDemoPassword = "kilat-demo";

void found_fleet(Fleet& fleet, Time time);
void found_accounts(Accounts& accounts);

}  // namespace examples::rvm
