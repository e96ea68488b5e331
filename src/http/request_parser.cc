#include "http/request_parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "http/request_builder.h"
#include "http/text.h"

namespace kilat::http {
namespace {

namespace beast_http = boost::beast::http;
using boost::beast::error_code;

/// Chunk size and extensions of one chunk, with the line ends around them. Nothing useful is longer, and Beast itself
/// has no limit here.
constexpr size_t kChunkLineMax = 1024;

/// Beast's grammar, wired to a RequestBuilder. Beast has no way to start anew: one object a request.
class Grammar final : public beast_http::basic_parser<true> {
 public:
  Grammar(RequestBuilder& builder, const ParserLimits& limits) : builder_(builder) {
    // The header block is measured before Beast sees it; one more keeps Beast from counting differently.
    header_limit(limits.header_bytes_max + 1);
    // Beast would judge before it is known whether the body is streamed.
    body_limit(boost::none);
    body_left_ = limits.body_bytes_max;
  }

  /// The body goes there, without a limit.
  void stream_to(BodySink& sink) { sink_ = &sink; }
  bool streams() const { return sink_ != nullptr; }

  /// Size of the chunk whose head was put last.
  size_t chunk_size() const { return chunk_size_; }

 private:
  using View = boost::beast::string_view;
  static std::string_view std_view(View view) { return {view.data(), view.size()}; }

  void on_request_impl(beast_http::verb, View method, View target, int version, error_code&) override {
    builder_.request_line(std_view(method), std_view(target), version % 10);
  }
  void on_response_impl(int, View, int, error_code&) override {}
  void on_field_impl(beast_http::field, View name, View value, error_code& ec) override {
    // Trailers come here too. They are dropped: merged into the header they could undo what was checked.
    if (header_done_) return;
    if (!builder_.field(std_view(name), std_view(value))) ec = beast_http::error::header_limit;
  }
  void on_header_impl(error_code&) override { header_done_ = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(View bytes, error_code&) override { return take(bytes); }
  void on_chunk_header_impl(std::uint64_t size, View, error_code& ec) override {
    chunk_size_ = size;
    if (sink_ != nullptr) return;
    if (size > body_left_) {
      ec = beast_http::error::body_limit;
    } else {
      body_left_ -= size;
    }
  }
  std::size_t on_chunk_body_impl(std::uint64_t, View bytes, error_code&) override { return take(bytes); }
  void on_finish_impl(error_code&) override {}

  std::size_t take(View bytes) {
    if (sink_ != nullptr) {
      sink_->on_body(std_view(bytes));
    } else {
      builder_.append_body(std_view(bytes));
    }
    return bytes.size();
  }

  RequestBuilder& builder_;
  BodySink* sink_ = nullptr;
  std::uint64_t body_left_ = 0;  ///< that chunks may still bring
  size_t chunk_size_ = 0;
  bool header_done_ = false;
};

/// Whether the request line ends in a well-formed version that is not ours. Beast has one error for a foreign version
/// and for rubbish in its place, but only the first deserves a 505.
bool foreign_version(std::string_view header) {
  const std::string_view line = header.substr(0, header.find("\r\n"));
  const std::string_view version = line.substr(std::min(line.rfind(' ') + 1, line.size()));
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return version.size() == 8 && version.starts_with("HTTP/") && digit(version[5]) && version[6] == '.' &&
         digit(version[7]) && version != "HTTP/1.0" && version != "HTTP/1.1";
}

Reason reason_of(const error_code& ec, std::string_view header) {
  if (ec == beast_http::error::body_limit) return Reason::kHttpBodyTooLarge;
  if (ec == beast_http::error::header_limit) return Reason::kHttpHeaderTooLarge;
  if (ec == beast_http::error::bad_version && foreign_version(header)) return Reason::kHttpVersionUnsupported;
  return Reason::kHttpMalformed;
}

}  // namespace

/// Cuts the input into elements. Each stage looks at bytes strictly in order and decides on the first that matters,
/// which is what makes the outcome independent of the splits.
class RequestParser::Impl {
 public:
  const Request& request() const { return builder_.request(); }
  bool started() const { return !builder_.storage().empty(); }
  bool fresh() const { return stage_ == Stage::kBegin && !empty_line_seen_ && error_ == Reason::kNone; }
  size_t buffered() const { return builder_.storage().capacity() + element_.capacity(); }
  Reason error() const { return error_; }

  void reset() {
    builder_.clear();
    grammar_.reset();
    element_.clear();
    stage_ = Stage::kBegin;
    empty_line_seen_ = false;
    error_ = Reason::kNone;
  }

  /// Whether the next feed() has something to say without any input.
  bool has_more_to_say() const { return stage_ == Stage::kOffered; }

  void stream_to(BodySink& sink) {
    if (grammar_) grammar_->stream_to(sink);
  }

  Status feed(std::span<const char>& in, const ParserLimits& limits) {
    if (stage_ == Stage::kOffered) {
      if (const Status status = begin_body(limits); status != Status::kNeedMore) return status;
    }
    Status status = Status::kNeedMore;
    while (status == Status::kNeedMore && !in.empty()) {
      switch (stage_) {
        case Stage::kBegin:
        case Stage::kEmptyLine: status = take_first(in); break;
        case Stage::kHeader: status = take_header(in, limits); break;
        case Stage::kOffered: break;  // left above
        case Stage::kBody: status = take_body(in); break;
        case Stage::kChunkHead: status = take_chunk_head(in); break;
        case Stage::kChunkData: status = take_chunk_data(in); break;
        case Stage::kTrailers: status = take_trailers(in, limits); break;
      }
    }
    return status;
  }

 private:
  enum class Stage : uint8_t { kBegin, kEmptyLine, kHeader, kOffered, kBody, kChunkHead, kChunkData, kTrailers };

  Status fail(Reason reason) {
    error_ = reason;
    return Status::kError;
  }
  Status malformed() { return fail(Reason::kHttpMalformed); }
  Status complete() {
    builder_.finish_body();
    grammar_.reset();
    return Status::kComplete;
  }

  static std::string_view view(std::span<const char> bytes) { return {bytes.data(), bytes.size()}; }
  size_t put(std::string_view bytes, error_code& ec) {
    return grammar_->put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
  }

  // Skips one empty line, and refuses at once what cannot be a method: a TLS client on the plain port would otherwise
  // wait for the timeout.
  Status take_first(std::span<const char>& in) {
    const char c = in.front();
    if (stage_ == Stage::kBegin && !empty_line_seen_ && c == '\r') {
      stage_ = Stage::kEmptyLine;
    } else if (stage_ == Stage::kEmptyLine) {
      if (c != '\n') return malformed();
      empty_line_seen_ = true;
      stage_ = Stage::kBegin;
    } else {
      if (!is_token_char(c)) return malformed();
      empty_line_seen_ = false;
      line_start_ = 0;
      stage_ = Stage::kHeader;
      return Status::kNeedMore;
    }
    in = in.subspan(1);
    return Status::kNeedMore;
  }

  Status take_header(std::span<const char>& in, const ParserLimits& limits) {
    const std::string_view bytes = view(in);
    const size_t end = bytes.find('\n');
    const size_t size = end == std::string_view::npos ? bytes.size() : end + 1;
    std::string& storage = builder_.storage();
    if (storage.size() + size > limits.header_bytes_max) return fail(Reason::kHttpHeaderTooLarge);
    storage.append(bytes.substr(0, size));
    in = in.subspan(size);
    if (end == std::string_view::npos) return Status::kNeedMore;
    switch (end_line(storage)) {
      case Line::kBad: return malformed();
      case Line::kText: return Status::kNeedMore;
      case Line::kEmpty: break;
    }
    return end_header(limits);
  }

  enum class Line : uint8_t { kBad, kText, kEmpty };

  // Judges the line that ends `text`. Beast would unfold a line that goes on in the next one (obs-fold), but two
  // servers disagree about such lines too easily: RFC 9112, section 5.2 lets us refuse them.
  Line end_line(std::string_view text) {
    const std::string_view line = text.substr(line_start_);
    if (!line.ends_with("\r\n")) return Line::kBad;
    if (line.size() == 2) return Line::kEmpty;
    if (line_start_ != 0 && (line.front() == ' ' || line.front() == '\t')) return Line::kBad;
    line_start_ = text.size();
    return Line::kText;
  }

  Status end_header(const ParserLimits& limits) {
    grammar_.emplace(builder_, limits);
    error_code ec;
    put(builder_.storage(), ec);
    if (ec) return fail(reason_of(ec, builder_.storage()));
    if (!grammar_->is_header_done()) return malformed();
    const bool large = too_large(limits);
    if (large && !limits.offer_streams) return fail(Reason::kHttpBodyTooLarge);
    const Reason reason = builder_.finish_header();
    if (reason != Reason::kNone) return fail(large ? Reason::kHttpBodyTooLarge : reason);
    if (grammar_->is_done()) return complete();
    if (!limits.offer_streams || (!large && !grammar_->chunked())) return begin_body(limits);
    stage_ = Stage::kOffered;
    return Status::kStreamable;
  }

  bool too_large(const ParserLimits& limits) const {
    return grammar_->content_length().value_or(0) > limits.body_bytes_max;
  }

  Status begin_body(const ParserLimits& limits) {
    if (!grammar_->streams() && too_large(limits)) return fail(Reason::kHttpBodyTooLarge);
    if (grammar_->chunked()) {
      stage_ = Stage::kChunkHead;
      after_chunk_ = false;
    } else {
      stage_ = Stage::kBody;
      if (!grammar_->streams()) builder_.reserve_body(grammar_->content_length().value_or(0));
    }
    return builder_.expects_continue() ? Status::kExpectContinue : Status::kNeedMore;
  }

  Status take_body(std::span<const char>& in) {
    error_code ec;
    in = in.subspan(put(view(in), ec));
    if (ec) return fail(reason_of(ec, {}));
    return grammar_->is_done() ? complete() : Status::kNeedMore;
  }

  // The line end behind a chunk's data belongs to the next chunk's head, as Beast wants it.
  Status take_chunk_head(std::span<const char>& in) {
    while (!in.empty()) {
      const char c = in.front();
      in = in.subspan(1);
      const size_t position = element_.size();
      element_.push_back(c);
      if (element_.size() > kChunkLineMax) return malformed();
      if (after_chunk_ && position < 2) {
        if (c != (position == 0 ? '\r' : '\n')) return malformed();
        continue;
      }
      if (c != '\n') continue;
      if (!element_.ends_with("\r\n")) return malformed();
      error_code ec;
      put(element_, ec);
      if (ec == beast_http::error::need_more) {  // the last chunk, which Beast takes together with the trailers
        line_start_ = element_.size();
        stage_ = Stage::kTrailers;
        return Status::kNeedMore;
      }
      if (ec) return fail(reason_of(ec, {}));
      element_.clear();
      chunk_left_ = grammar_->chunk_size();
      stage_ = Stage::kChunkData;
      return Status::kNeedMore;
    }
    return Status::kNeedMore;
  }

  Status take_chunk_data(std::span<const char>& in) {
    error_code ec;
    const size_t used = put(view(in.first(std::min(in.size(), chunk_left_))), ec);
    in = in.subspan(used);
    if (ec) return fail(reason_of(ec, {}));
    chunk_left_ -= used;
    if (chunk_left_ == 0) {
      after_chunk_ = true;
      stage_ = Stage::kChunkHead;
    }
    return Status::kNeedMore;
  }

  Status take_trailers(std::span<const char>& in, const ParserLimits& limits) {
    while (!in.empty()) {
      const char c = in.front();
      in = in.subspan(1);
      element_.push_back(c);
      if (element_.size() > limits.header_bytes_max + kChunkLineMax) return fail(Reason::kHttpHeaderTooLarge);
      if (c != '\n') continue;
      const Line line = end_line(element_);
      if (line == Line::kBad) return malformed();
      if (line == Line::kText) continue;
      error_code ec;
      put(element_, ec);
      if (ec || !grammar_->is_done()) return malformed();
      return complete();
    }
    return Status::kNeedMore;
  }

  RequestBuilder builder_;
  std::optional<Grammar> grammar_;  // from the end of the header to the end of the body
  std::string element_;             // head of a chunk, or last chunk and trailers
  size_t line_start_ = 0;
  size_t chunk_left_ = 0;
  Stage stage_ = Stage::kBegin;
  Reason error_ = Reason::kNone;
  bool after_chunk_ = false;
  bool empty_line_seen_ = false;
};

ParserPool::ParserPool() {
  spare_.reserve(kSpareMax);
}
ParserPool::~ParserPool() = default;

RequestParser::RequestParser(ParserLimits limits, ParserPool* pool) : limits_(limits), pool_(pool) {}
RequestParser::~RequestParser() {
  release();
}
RequestParser::RequestParser(RequestParser&& other) noexcept = default;
RequestParser& RequestParser::operator=(RequestParser&& other) noexcept = default;

Status RequestParser::feed(std::span<const char>& in) {
  if (status_ == Status::kComplete || status_ == Status::kError) return status_;
  if (in.empty() && (impl_ == nullptr || !impl_->has_more_to_say())) return Status::kNeedMore;
  if (impl_ == nullptr && pool_ != nullptr && !pool_->spare_.empty()) {
    impl_ = std::move(pool_->spare_.back());
    pool_->spare_.pop_back();
  } else if (impl_ == nullptr) {
    impl_ = std::make_unique<Impl>();
  }
  status_ = impl_->feed(in, limits_);
  error_ = impl_->error();
  return status_;
}

void RequestParser::stream_to(BodySink& sink) {
  if (status_ == Status::kStreamable) impl_->stream_to(sink);
}

const Request& RequestParser::request() const {
  static const Request kNoRequest;
  return impl_ == nullptr ? kNoRequest : impl_->request();
}

bool RequestParser::started() const {
  return impl_ != nullptr && impl_->started();
}

bool RequestParser::fresh() const {
  return impl_ == nullptr || impl_->fresh();
}

size_t RequestParser::buffered() const {
  return impl_ == nullptr ? 0 : impl_->buffered();
}

void RequestParser::reset() {
  if (impl_ != nullptr) impl_->reset();
  status_ = Status::kNeedMore;
  error_ = Reason::kNone;
}

void RequestParser::release() {
  if (impl_ != nullptr && pool_ != nullptr && pool_->spare_.size() < ParserPool::kSpareMax) {
    if (!impl_->fresh()) impl_->reset();
    pool_->spare_.push_back(std::move(impl_));
  }
  impl_.reset();
  status_ = Status::kNeedMore;
  error_ = Reason::kNone;
}

}  // namespace kilat::http
