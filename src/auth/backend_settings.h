// The backend of an app that rules may ask, see BackendDesk. Plain data, filled in by src/config.
#pragma once

#include <cstdint>
#include <string>

namespace kilat::auth {

struct BackendSettings {
  std::string url;  ///< empty: there is no backend
  uint32_t timeout_ms = 2'000;
  uint32_t cache_s = 60;  ///< how long an answer is good for; 0: not kept

  bool operator==(const BackendSettings&) const = default;
};

}  // namespace kilat::auth
