// The log of the network: what devices, people and jobs do, one line each. The last kLinesMax are kept in memory for
// pages that come later. Belongs to the worker.
#pragma once

#include <boost/json.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>

#include "noc/emitter.h"

namespace examples::noc {

enum class Level { kDebug, kInfo, kWarning, kError };

class NetworkLog {
 public:
  static constexpr std::size_t kLinesMax = 500;

  explicit NetworkLog(Emitter& emitter) : emitter_(emitter) {}
  /// `source`: a device, a person, a job.
  void add(Level level, std::string_view source, std::string_view message);
  /// Oldest first.
  boost::json::array lines() const { return boost::json::array(lines_.begin(), lines_.end()); }

 private:
  Emitter& emitter_;
  std::deque<boost::json::value> lines_;
};

}  // namespace examples::noc
