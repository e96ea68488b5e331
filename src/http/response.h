// Answers as bytes: status line, headers, body, or a chunked stream. Pure functions that append to the caller's string;
// no thread rule. Bounds: what the caller hands in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/reason.h"
#include "http/cors.h"

namespace kilat::http {

struct HeaderField {
  std::string name{};
  std::string value{};
};

/// One answer. `content_type` must outlive the call that writes it: normally it is a constant.
struct Response {
  int status = 200;                 ///< 100 to 599
  std::string_view content_type{};  ///< empty = no Content-Type
  /// Empty = no Cache-Control. It must outlive the call, too: answers that are made often have no header of their own.
  std::string_view cache_control{};
  std::string body{};
  /// Content-Length and Transfer-Encoding are ignored here: framing is ours alone.
  std::vector<HeaderField> headers{};
  /// The row by which the request is refused, for log and metrics; not written to the wire here.
  Reason reason = Reason::kNone;
};

/// What the answer must know about the request and the connection.
struct ResponseOptions {
  bool keep_alive = true;   ///< the connection stays open; otherwise `Connection: close`
  bool head_only = false;   ///< the request was HEAD: the body is left out, its length told
  int minor_version = 1;    ///< of the request: an HTTP/1.0 client is told of keep-alive, and takes no chunks
  std::string_view date{};  ///< value of Date, from http_date(), made once a second; empty = no Date
  CorsHeaders cors{};
};

/// Reason phrase of `status`, "Unknown" for a status without one (RFC 9110, section 15).
std::string_view status_text(int status);

/// IMF-fixdate, for example `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7). Seconds since 1970, not
/// negative.
std::string http_date(int64_t unix_seconds);

/// Appends the whole answer. Line ends and other control characters in a header value become spaces, and a header
/// whose name is no token is left out: no value can begin a header or an answer of its own. 1xx, 204 and 304 have
/// neither body nor Content-Length (RFC 9110, section 8.6), 1xx no Connection header of ours.
void append_response(std::string& out, const Response& response, const ResponseOptions& options);

/// Appends the head of an answer whose length is not known; `response.body` is ignored. Returns whether the body goes
/// in chunks: false for an HTTP/1.0 client, where raw bytes up to the end of the connection follow (the head then says
/// `Connection: close` whatever the options say), and where there is no body at all.
bool append_stream_head(std::string& out, const Response& response, const ResponseOptions& options);

/// Appends `data` as one chunk; nothing for empty data, since an empty chunk would end the stream.
void append_chunk(std::string& out, std::string_view data);

/// Ends the stream.
void append_last_chunk(std::string& out);

}  // namespace kilat::http
