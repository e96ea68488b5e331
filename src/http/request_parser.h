// HTTP/1.x requests out of bytes, however the network cuts them: any split of the input gives the same requests and the
// same refusals. Boost.Beast judges the grammar; this class decides where an element ends, so that Beast always sees
// whole elements. Owner: one connection, hence one shard. Does no I/O and knows no clock. Bounds: ParserLimits and
// kHeaderLinesMax; an idle parser after release() is a few words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/reason.h"
#include "http/request.h"

namespace kilat::http {

struct ParserLimits {
  uint32_t header_bytes_max = 16 * 1024;       ///< request line and header lines with their line ends
  uint32_t body_bytes_max = 10 * 1024 * 1024;  ///< body without chunk framing; below 2 GiB
  bool offer_streams = false;                  ///< whether kStreamable is told
};

enum class Status : uint8_t {
  kNeedMore,        ///< all bytes are taken, the request is not complete
  kStreamable,      ///< once, before any other: the body has no end known yet, or is too large: see stream_to()
  kExpectContinue,  ///< once: answer `HTTP/1.1 100 Continue\r\n\r\n` (or refuse) and feed on
  kComplete,        ///< request() is ready; the rest of the input belongs to what follows
  kError,           ///< error() says why; the connection cannot be used for further requests
};

class ParserPool;

/// Where a body goes as it comes, instead of into the request.
class BodySink {
 public:
  /// Bytes of the body without chunk framing, in order; only during the call. All must be used or copied.
  virtual void on_body(std::string_view bytes) = 0;

 protected:
  ~BodySink() = default;
};

/// Parses one request after the other. Not for several threads.
class RequestParser {
 public:
  /// With a pool, which must outlive the parser, the memory of a request is taken from there and given back.
  explicit RequestParser(ParserLimits limits = {}, ParserPool* pool = nullptr);
  ~RequestParser();
  RequestParser(RequestParser&& other) noexcept;
  RequestParser& operator=(RequestParser&& other) noexcept;

  /// Takes bytes from the front of `in` up to the end of the request at most. Once it is complete or refused, further
  /// calls take nothing and return the same, until reset(). After kStreamable and kExpectContinue the header part of
  /// request() is ready; call again even when `in` is empty by then.
  [[nodiscard]] Status feed(std::span<const char>& in);

  /// After kStreamable and before the next feed(): the body goes to `sink`, which lives until this request ends, and
  /// has no limit; request().body() stays empty. Without this call the body is gathered, and limited, as any other.
  void stream_to(BodySink& sink);

  /// Why feed() returned kError: kHttpMalformed, kHttpVersionUnsupported, kHttpHeaderTooLarge (header block, number of
  /// lines, trailers) or kHttpBodyTooLarge (told from Content-Length before the body is read). kNone otherwise.
  Reason error() const { return error_; }

  /// The request; whole after kComplete, without body after kExpectContinue. Its views are valid until the
  /// next feed() that takes bytes, reset() or release().
  const Request& request() const;

  /// Whether a byte of the current request was seen: tells an idle connection from a slow request. The one empty line
  /// that may precede a request (RFC 9112, section 2.2) is no part of it.
  bool started() const;

  /// Whether nothing of the next request was seen, not even an empty line: then release() loses nothing.
  bool fresh() const;

  /// Heap bytes of the request so far.
  size_t buffered() const;

  /// Ready for the next request; keeps small buffers.
  void reset();
  /// As reset(), and frees all memory: for connections that wait for their next request.
  void release();

 private:
  friend class ParserPool;
  class Impl;

  ParserLimits limits_;
  ParserPool* pool_;
  Status status_ = Status::kNeedMore;
  Reason error_ = Reason::kNone;
  std::unique_ptr<Impl> impl_;  // none while idle
};

/// Memory that the parsers of one shard use in turn: most requests arrive whole, so a few serve thousands of
/// connections. Bounds: kSpareMax sets of buffers of some 16 KiB at most.
class ParserPool {
 public:
  ParserPool();
  ~ParserPool();
  ParserPool(const ParserPool&) = delete;
  ParserPool& operator=(const ParserPool&) = delete;

 private:
  friend class RequestParser;
  static constexpr size_t kSpareMax = 32;

  std::vector<std::unique_ptr<RequestParser::Impl>> spare_;
};

}  // namespace kilat::http
