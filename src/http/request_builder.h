// Fills a Request and judges its header block by the rules that a grammar does not know: Host, framing that two servers
// could read differently, the form of the target. Owner: one RequestParser. Does no parsing of lines itself.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/reason.h"
#include "http/request.h"

namespace kilat::http {

/// Header lines a request may have; more are refused, so that joining and finding stay cheap.
inline constexpr size_t kHeaderLinesMax = 128;

/// Used in this order: storage() is filled with the header block, request_line() and field() name slices of it,
/// finish_header() judges, append_body() any number of times, finish_body().
class RequestBuilder {
 public:
  const Request& request() const { return request_; }
  /// The header block. Its bytes stay where they are from the first request_line() to finish_header().
  std::string& storage() { return request_.storage_; }
  const std::string& storage() const { return request_.storage_; }

  /// Forgets the request. Keeps its memory for the next one, unless one large body made it grow.
  void clear();

  /// Takes over slices of storage(). `minor_version` is 0 or 1.
  void request_line(std::string_view method, std::string_view target, int minor_version);
  /// Takes over one header line, slices of storage(). False when there are more than kHeaderLinesMax.
  bool field(std::string_view name, std::string_view value);

  /// kNone, or kHttpMalformed: target of no known form, Host missing or doubtful (RFC 9112, section 3.2), more than one
  /// Content-Length, Transfer-Encoding other than one `chunked`, both of them, or either in HTTP/1.0 where it could
  /// hide a second request (RFC 9112, section 6.1 and 6.3).
  Reason finish_header();

  /// Whether the client waits for `100 Continue` before it sends the body (RFC 9110, section 10.1.1).
  bool expects_continue() const;

  /// Makes room for a body of `length` bytes. A client's claim alone never makes the server take much memory.
  void reserve_body(size_t length);
  void append_body(std::string_view bytes) { storage().append(bytes); }
  /// Sets Request::body() and the padding behind it.
  void finish_body();

 private:
  Request::Slice slice(std::string_view part) const;
  bool split_target();
  bool host_valid() const;
  bool framing_valid() const;
  void join_repeated();
  size_t count(std::string_view name) const;

  Request request_;
  size_t body_offset_ = 0;
};

}  // namespace kilat::http
