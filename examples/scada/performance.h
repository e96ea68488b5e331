// How long operations take: their durations by the hour, for 24 hours, with a report; a line in the log for each that
// took more than a second. Any thread. Bounds: 24 hours of as many operations as the program has names for.
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/database.h"

namespace examples::scada {

class Performance {
 public:
  /// Counts one operation; `name` is one of the program's own.
  void record(std::string_view name, std::chrono::steady_clock::duration took);
  /// {"hours": [{"hour", "operation", "count", "average_ms", "max_ms", "slow"}]}, the newest first.
  boost::json::object report() const;
  /// What earlier runs of the program kept. Thread of the database.
  void load(Database& database);
  void save(Database& database) const;

 private:
  struct Figures {
    std::int64_t count = 0;
    double total_ms = 0;
    double max_ms = 0;
    std::int64_t slow = 0;
  };
  using Key = std::pair<std::int64_t, std::string>;  // the hour's beginning in seconds since 1970, the operation
  void forget_old(std::int64_t hour);

  mutable std::mutex mutex_;
  std::map<Key, Figures> figures_;
};

/// Measures from its making to its end.
class Stopwatch {
 public:
  Stopwatch(Performance& performance, std::string_view name)
      : performance_(performance), name_(name), start_(std::chrono::steady_clock::now()) {}
  ~Stopwatch() { performance_.record(name_, std::chrono::steady_clock::now() - start_); }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  Performance& performance_;
  std::string_view name_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace examples::scada
