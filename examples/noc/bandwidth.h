// Bandwidth of each network interface of this machine: the difference of its counters, with a history that is handed
// out as bytes. Belongs to the worker. Bounds: kInterfacesMax interfaces, kSamplesMax samples of each.
#pragma once

#include <boost/json.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "common/proc.h"
#include "noc/emitter.h"

namespace examples::noc {

class Bandwidth {
 public:
  static constexpr std::size_t kInterfacesMax = 32;
  static constexpr std::size_t kSamplesMax = 1200;

  explicit Bandwidth(Emitter& emitter) : emitter_(emitter) {}

  /// Reads the counters, and tells what has gone through since the last time.
  void sample();
  boost::json::array interfaces() const;
  /// Whether there is such an interface.
  bool has(const std::string& interface) const { return histories_.contains(interface); }
  /// {at, rx, tx} each, oldest first; bytes a second. Of an interface that there is.
  boost::json::array samples(const std::string& interface) const;
  /// The same as 24 bytes for each sample: at, rx and tx as 64-bit floats, the least significant byte first.
  std::string packed(const std::string& interface) const;

 private:
  struct Sample {
    std::int64_t at = 0;
    double received = 0;
    double sent = 0;
  };
  struct History {
    proc::Counters last;
    std::int64_t at = 0;
    std::deque<Sample> samples;
  };
  Emitter& emitter_;
  std::map<std::string, History> histories_;
};

}  // namespace examples::noc
