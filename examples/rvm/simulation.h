// What people do at the machines: bring bottles, more by day than by night; jam them now and then. And a service crew
// that looks after what is full or broken. All of it goes through the Fleet, as a real machine's reports would.
// Belongs to the worker.
#pragma once

#include <random>
#include <vector>

#include "rvm/fleet.h"

namespace examples::rvm {

class Simulation {
 public:
  Simulation(Fleet& fleet, std::uint32_t seed) : fleet_(fleet), random_(seed) {}

  /// One moment in the life of the fleet; returns the changes of status. The caller holds a Transaction.
  std::vector<Change> step(Time time);
  /// Lives through the day before `end`, so that the figures of a new installation have something to show.
  void past_day(Time end);

 private:
  bool chance(double probability) { return std::bernoulli_distribution(probability)(random_); }
  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }
  void customers(const std::vector<Machine>& fleet, Time time, std::vector<Change>& changes);
  void crew(const std::vector<Machine>& fleet, Time time, std::vector<Change>& changes);

  Fleet& fleet_;
  std::mt19937 random_;
};

}  // namespace examples::rvm
