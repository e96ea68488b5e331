// Trend: samples of a long run and the straight line through them. Plain data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace kilat::stress {

struct Sample {
  double seconds = 0;
  double rss_kib = 0;
  double descriptors = 0;
  double channels = 0;
  double connections = 0;
};

/// Least-squares slope of one column, per minute; 0 for fewer than two samples.
inline double slope_per_minute(std::span<const Sample> samples, double Sample::* column) {
  const auto n = static_cast<double>(samples.size());
  double x = 0;
  double y = 0;
  double xx = 0;
  double xy = 0;
  for (const Sample& sample : samples) {
    x += sample.seconds;
    y += sample.*column;
    xx += sample.seconds * sample.seconds;
    xy += sample.seconds * sample.*column;
  }
  const double spread = n * xx - x * x;
  return spread > 0 ? 60 * (n * xy - x * y) / spread : 0;
}

}  // namespace kilat::stress
