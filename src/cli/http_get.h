// One unsigned GET, for health and metrics. Any thread. Bounds: 16 MiB of answer; five seconds, unless told otherwise.
#pragma once

#include <cstdint>
#include <string>

#include "cli/failure.h"

namespace kilat::cli {

struct HttpAnswer {
  long status = 0;
  std::string body;
};

struct HttpAddress {
  std::string url;          ///< "http://127.0.0.1:9601"
  std::string unix_socket;  ///< path of a Unix socket to go through; empty: none
  bool trust_any = false;   ///< https without looking at the certificate: the server is this machine
};

/// Any status is an answer; a Failure means that none came.
Outcome<HttpAnswer> http_get(const HttpAddress& address, const std::string& path, uint32_t limit_ms = 5'000);

}  // namespace kilat::cli
