// FirstRequest: the request that began a session, for the program that has the server inside; kept by nobody else.
// Owner: the session and its sockets together; immutable, any thread. Bounds: http.header_bytes_max.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/request.h"

namespace kilat::socketio {

class FirstRequest {
 public:
  explicit FirstRequest(const http::Request& request);

  /// The request target as sent.
  std::string_view url() const { return std::string_view(text_).substr(0, url_size_); }
  /// What follows the first `?` of it, not decoded.
  std::string_view query() const;
  /// Names and values in their order, as sent.
  std::vector<std::pair<std::string, std::string>> headers() const;

 private:
  // One text, because every session of a program has it: the target, then of each header a line "name:value\n". No
  // name has a colon, no value a line feed (RFC 9110, sections 5.1 and 5.5).
  std::string text_;
  size_t url_size_;
};

/// Null where there is no program.
using FirstRequestPtr = std::shared_ptr<const FirstRequest>;

}  // namespace kilat::socketio
