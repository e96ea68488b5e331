// How often somebody may do something: a bucket of tokens for each name. Belongs to one thread. Bound: kNamesMax names;
// when there are more, those that have not asked for a while are forgotten, or else the newcomer shares a bucket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace examples::booking {

class RateLimit {
 public:
  static constexpr std::size_t kNamesMax = 10'000;

  /// `burst` requests at once, and `per_second` again each second.
  RateLimit(double burst, double per_second) : burst_(burst), per_second_(per_second) {}

  /// 0: go ahead. Otherwise the whole seconds after which it is worth to ask again.
  std::int64_t wait_s(const std::string& name, std::int64_t now_ms);

 private:
  struct Bucket {
    double tokens;
    std::int64_t at_ms;
  };
  Bucket& bucket_of(const std::string& name, std::int64_t now_ms);
  double tokens_at(const Bucket& bucket, std::int64_t now_ms) const;

  double burst_;
  double per_second_;
  std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace examples::booking
