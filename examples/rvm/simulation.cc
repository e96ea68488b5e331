#include "rvm/simulation.h"

#include <cmath>
#include <numbers>

namespace examples::rvm {
namespace {

constexpr std::string_view kCrew = "Service crew (simulated)";
constexpr Time kMinute = 60'000;
constexpr Time kHour = 60 * kMinute;
/// How long a machine waits for the crew, and the crew works on it.
constexpr Time kServiceAfter = kMinute;
constexpr double kJamChance = 0.006;
constexpr double kCrewChance = 0.1;
constexpr std::size_t kItemsMax = 12;

/// How busy the hour of the day is, 0 to 1: least at 3 in the morning, most at 3 in the afternoon (UTC).
double rush(Time time) {
  const double hour = static_cast<double>(time % (24 * kHour)) / kHour;
  return 0.55 - 0.45 * std::cos((hour - 3) / 24 * 2 * std::numbers::pi);
}

}  // namespace

std::vector<Change> Simulation::step(Time time) {
  std::vector<Change> changes;
  const std::vector<Machine> fleet = fleet_.machines();
  fleet_.seen(time);
  if (!fleet.empty()) {
    customers(fleet, time, changes);
    crew(fleet, time, changes);
  }
  return changes;
}

void Simulation::customers(const std::vector<Machine>& fleet, Time time, std::vector<Change>& changes) {
  const Machine& machine = fleet[below(fleet.size())];
  if (machine.status != Status::active || !chance(rush(time))) return;
  Outcome<Change> jam = std::unexpected(Refused{});
  if (chance(kJamChance)) jam = fleet_.set_status(machine.id, Status::error, std::nullopt, machine.name, time);
  if (jam) {
    changes.push_back(*jam);
    return;
  }
  const auto count = static_cast<std::int64_t>(1 + below(kItemsMax));
  const auto deposit = fleet_.deposit(machine.id, below(3), count, time);
  if (deposit && deposit->change) changes.push_back(*deposit->change);
}

void Simulation::crew(const std::vector<Machine>& fleet, Time time, std::vector<Change>& changes) {
  if (!chance(kCrewChance)) return;
  for (const Machine& machine : fleet) {
    if (time - machine.changed < kServiceAfter) continue;
    const bool waits = machine.status == Status::full || machine.status == Status::error;
    // What a person has put into maintenance is that person's business.
    const bool done = machine.status == Status::maintenance && machine.changed_by == kCrew;
    if (!waits && !done) continue;
    const Status to = waits ? Status::maintenance : Status::active;
    if (const auto change = fleet_.set_status(machine.id, to, std::nullopt, kCrew, time)) changes.push_back(*change);
    return;
  }
}

void Simulation::past_day(Time end) {
  constexpr Time kStep = 90'000;
  for (Time time = end - 24 * kHour; time < end; time += kStep) step(time);
}

}  // namespace examples::rvm
