#include "scada/performance.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <ranges>

namespace examples::scada {
namespace {

constexpr std::int64_t kHour = 3'600;
constexpr std::int64_t kHoursKept = 24;
constexpr double kSlowMs = 1'000;

}  // namespace

void Performance::record(std::string_view name, std::chrono::steady_clock::duration took) {
  const double ms = std::chrono::duration<double, std::milli>(took).count();
  const std::int64_t hour = std::time(nullptr) / kHour * kHour;
  if (ms > kSlowMs) {
    std::fprintf(stderr, "warning: %s took %.0f ms\n", std::string(name).c_str(), ms);
  }
  const std::scoped_lock lock(mutex_);
  Figures& figures = figures_[{hour, std::string(name)}];
  ++figures.count;
  figures.total_ms += ms;
  figures.max_ms = std::max(figures.max_ms, ms);
  if (ms > kSlowMs) ++figures.slow;
  forget_old(hour);
}

void Performance::forget_old(std::int64_t hour) {
  figures_.erase(figures_.begin(), figures_.lower_bound({hour - (kHoursKept - 1) * kHour, {}}));
}

boost::json::object Performance::report() const {
  boost::json::array hours;
  const std::scoped_lock lock(mutex_);
  for (const auto& [key, figures] : figures_ | std::views::reverse) {
    hours.push_back({{"hour", key.first * 1'000},
                     {"operation", key.second},
                     {"count", figures.count},
                     {"average_ms", figures.total_ms / static_cast<double>(figures.count)},
                     {"max_ms", figures.max_ms},
                     {"slow", figures.slow}});
  }
  return {{"slow_above_ms", kSlowMs}, {"hours", std::move(hours)}};
}

void Performance::load(Database& database) {
  database.script(
      "create table if not exists performance (hour integer, operation text, count integer not null,"
      " total_ms real not null, max_ms real not null, slow integer not null, primary key (hour, operation))");
  Statement row = database.query("select hour, operation, count, total_ms, max_ms, slow from performance");
  const std::scoped_lock lock(mutex_);
  while (row.step()) {
    figures_[{row.integer(0), row.text(1)}] = {
        .count = row.integer(2), .total_ms = row.real(3), .max_ms = row.real(4), .slow = row.integer(5)};
  }
  forget_old(std::time(nullptr) / kHour * kHour);
}

void Performance::save(Database& database) const {
  const auto copy = [this] {
    const std::scoped_lock lock(mutex_);
    return figures_;
  }();
  Transaction transaction(database);
  for (const auto& [key, figures] : copy) {
    database.run("insert or replace into performance values (?1, ?2, ?3, ?4, ?5, ?6)", key.first, key.second,
                 figures.count, figures.total_ms, figures.max_ms, figures.slow);
  }
  if (!copy.empty()) database.run("delete from performance where hour < ?1", copy.begin()->first.first);
  transaction.commit();
}

}  // namespace examples::scada
