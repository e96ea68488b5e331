// What the program itself keeps, beside Kilat's readings: alarms, the firehose's rate, durations. One SQLite
// file; everything here belongs to the thread of the Worker that has it.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "common/database.h"
#include "scada/watch.h"

namespace examples::scada {

class Store {
 public:
  /// Opens or makes the file. Alarms of an earlier run are over.
  Store(const std::filesystem::path& file, std::int64_t now_ms);

  Database& database() { return database_; }

  /// Writes an alarm down, or that it is over; returns it as the page gets it.
  boost::json::object note(const Alarm& alarm);
  /// The newest alarms, those that are on first; 50 at most.
  boost::json::array alarms();

  std::int64_t number(std::string_view name, std::int64_t otherwise);
  void set_number(std::string_view name, std::int64_t value);

 private:
  Database database_;
};

}  // namespace examples::scada
