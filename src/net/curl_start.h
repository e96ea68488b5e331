// Once for the process, before anything else of libcurl is used: it is not safe to be left to the first transfers.
#pragma once

#include <curl/curl.h>

namespace kilat::net {

/// Any thread. False when libcurl cannot work.
inline bool start_curl() {
  static const bool started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return started;
}

}  // namespace kilat::net
