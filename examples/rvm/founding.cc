#include "rvm/founding.h"

#include <array>
#include <cstdio>

namespace examples::rvm {
namespace {

constexpr std::array kPlaces = {
    "Central Station, hall A",
    "Central Station, hall B",
    "Old Market 4",
    "Harbour Mall, level 0",
    "Harbour Mall, level 1",
    "University canteen",
    "Botanical Garden",
    "City Hospital, north",
    "City Hospital, south",
    "Stadium, gate 3",
    "Airport, arrivals",
    "Airport, departures",
    "Riverside Market",
    "Library Square",
    "Mill Street 12",
    "Park & Ride East",
    "Park & Ride West",
    "Town Hall",
    "Swimming Hall",
    "Exhibition Centre, hall 2",
    "Tram depot",
    "Hill School",
    "Lakeside Campground",
    "Ferry Terminal",
};

struct Account {
  const char* id;
  const char* name;
  const char* role;  ///< "": none
};
constexpr std::array kAccounts = {
    Account{"super-admin", "Sam Super", "super-admin"},
    Account{"admin", "Ada Admin", "admin"},
    Account{"operator", "Oda Operator", "operator"},
    Account{"technician", "Tim Technician", "technician"},
    Account{"visitor", "Vera Visitor", ""},
    Account{"machine", "Machine gateway", "machine"},
};

}  // namespace

void found_fleet(Fleet& fleet, Time time) {
  int number = 0;
  for (const char* place : kPlaces) {
    std::array<char, 16> name{};
    std::snprintf(name.data(), name.size(), "RVM-%02d", ++number);
    fleet.add(name.data(), place, time);
  }
}

void found_accounts(Accounts& accounts) {
  for (const Account& account : kAccounts) {
    User user{.id = account.id, .name = account.name, .roles = {}};
    if (*account.role != '\0') user.roles.emplace_back(account.role);
    accounts.add(user, std::string(account.id) + "@rvm.example", kDemoPassword);
  }
}

}  // namespace examples::rvm
