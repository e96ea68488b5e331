#include "booking/rate_limit.h"

#include <algorithm>
#include <cmath>

namespace examples::booking {
namespace {

constexpr double kSecondMs = 1000;

}  // namespace

double RateLimit::tokens_at(const Bucket& bucket, std::int64_t now_ms) const {
  // A clock that was set back refills nothing.
  const double passed_s = static_cast<double>(std::max<std::int64_t>(now_ms - bucket.at_ms, 0)) / kSecondMs;
  return std::min(burst_, bucket.tokens + passed_s * per_second_);
}

RateLimit::Bucket& RateLimit::bucket_of(const std::string& name, std::int64_t now_ms) {
  if (const auto found = buckets_.find(name); found != buckets_.end()) return found->second;
  if (buckets_.size() >= kNamesMax) {
    std::erase_if(buckets_, [&](const auto& entry) { return tokens_at(entry.second, now_ms) >= burst_; });
  }
  return buckets_.try_emplace(buckets_.size() < kNamesMax ? name : std::string(), Bucket{burst_, now_ms}).first->second;
}

std::int64_t RateLimit::wait_s(const std::string& name, std::int64_t now_ms) {
  Bucket& bucket = bucket_of(name, now_ms);
  bucket.tokens = tokens_at(bucket, now_ms);
  bucket.at_ms = now_ms;
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1;
    return 0;
  }
  return std::max<std::int64_t>(1, std::llround(std::ceil((1 - bucket.tokens) / per_second_)));
}

}  // namespace examples::booking
