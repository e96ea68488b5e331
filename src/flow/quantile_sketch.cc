#include "flow/quantile_sketch.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace kilat::flow {
namespace {

constexpr double kGamma = (1 + QuantileSketch::kRelativeError) / (1 - QuantileSketch::kRelativeError);

int bucket_of(double magnitude) {
  static const double log_gamma = std::log(kGamma);
  return static_cast<int>(std::ceil(std::log(magnitude) / log_gamma));
}

// The number that is nearest to all of a bucket, relative to them.
double middle_of(int bucket) {
  return 2 * std::pow(kGamma, bucket) / (kGamma + 1);
}

}  // namespace

void QuantileSketch::Store::add(int bucket) {
  make_room(bucket);
  // Below the lowest bucket that is left: counted there.
  uint32_t& count = counts[static_cast<size_t>(std::max(bucket - first, 0))];
  if (count < std::numeric_limits<uint32_t>::max()) ++count;
}

void QuantileSketch::Store::make_room(int bucket) {
  if (counts.empty()) first = bucket;
  const int end = first + static_cast<int>(counts.size());
  if (bucket >= end) {
    const auto more = static_cast<size_t>(bucket - end) + 1;
    if (counts.size() + more > kBucketsMax) {
      counts.reserve(kBucketsMax);  // before anything is lost, since it may throw
      // The smallest go together into what becomes the lowest bucket.
      const size_t lost = std::min(counts.size() + more - kBucketsMax, counts.size());
      const uint32_t sum = std::accumulate(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(lost), 0U);
      counts.erase(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(lost));
      first = bucket - static_cast<int>(kBucketsMax) + 1;
      counts.resize(kBucketsMax);
      counts.front() += sum;
      return;
    }
    counts.resize(counts.size() + more);
  } else if (bucket < first) {
    const size_t more = std::min(static_cast<size_t>(first - bucket), kBucketsMax - counts.size());
    counts.insert(counts.begin(), more, 0);
    first -= static_cast<int>(more);
  }
}

void QuantileSketch::add(double value) {
  const double magnitude = std::min(std::abs(value), std::numeric_limits<double>::max());
  if (magnitude == 0) {
    ++zeros_;
  } else {
    (value > 0 ? positive_ : negative_).add(bucket_of(magnitude));
  }
  ++count_;
}

double QuantileSketch::quantile(double q) const {
  if (count_ == 0) return 0;
  auto left = static_cast<uint64_t>(q * static_cast<double>(count_ - 1));
  // From the lowest number upwards: the negative ones from the largest magnitude down.
  for (size_t i = negative_.counts.size(); i-- > 0;) {
    if (left < negative_.counts[i]) return -middle_of(negative_.first + static_cast<int>(i));
    left -= negative_.counts[i];
  }
  if (left < zeros_) return 0;
  left -= zeros_;
  for (size_t i = 0; i < positive_.counts.size(); ++i) {
    if (left < positive_.counts[i]) return middle_of(positive_.first + static_cast<int>(i));
    left -= positive_.counts[i];
  }
  return positive_.counts.empty() ? 0 : middle_of(positive_.first + static_cast<int>(positive_.counts.size()) - 1);
}

void QuantileSketch::clear() {
  positive_.counts.clear();
  negative_.counts.clear();
  zeros_ = count_ = 0;
}

}  // namespace kilat::flow
