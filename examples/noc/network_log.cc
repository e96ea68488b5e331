#include "noc/network_log.h"

#include <array>

#include "common/clock.h"

namespace examples::noc {
namespace {

std::string_view name_of(Level level) {
  constexpr std::array<std::string_view, 4> kNames{"debug", "info", "warning", "error"};
  return kNames.at(static_cast<std::size_t>(level));
}

}  // namespace

void NetworkLog::add(Level level, std::string_view source, std::string_view message) {
  const boost::json::object line{
      {"at", unix_ms()}, {"level", name_of(level)}, {"source", source}, {"message", message}};
  lines_.emplace_back(line);
  if (lines_.size() > kLinesMax) lines_.pop_front();
  emitter_.network_log(line);
}

}  // namespace examples::noc
