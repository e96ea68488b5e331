// One parsed HTTP/1.x request. Owner: the RequestParser of one connection, hence one shard. Lifetime: every view points
// into the request's storage and ends with the parser's next reset() or release(). Storage is one string and two small
// vectors of offsets, reused by the requests of a keep-alive connection; the parser's limits bound all three.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kilat::http {

/// The methods a route may ask for; every other token is kOther (see Request::method_text). Methods are compared with
/// case (RFC 9110, section 9.1).
enum class Method : uint8_t { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions, kOther };

/// Bytes that may be read behind the end of Request::body(); they are zero. A SIMD JSON parser reads over the end.
inline constexpr size_t kBodyPadding = 64;

/// A request as it came over the wire, read-only. Nothing here fails or allocates.
class Request {
 public:
  struct Header {
    std::string_view name;   ///< as sent; compare with iequals()
    std::string_view value;  ///< without the white space around it
  };

  /// Walks over the header lines in the order in which they came.
  class HeaderIterator {
   public:
    HeaderIterator(const Request* request, size_t index) : request_(request), index_(index) {}
    Header operator*() const { return request_->header_at(index_); }
    HeaderIterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator==(const HeaderIterator&) const = default;

   private:
    const Request* request_;
    size_t index_;
  };
  struct HeaderRange {
    HeaderIterator first;
    HeaderIterator last;
    HeaderIterator begin() const { return first; }
    HeaderIterator end() const { return last; }
  };

  Method method() const { return method_; }
  std::string_view method_text() const { return text(method_text_); }
  /// The request target as sent: `/path?query`, `http://host/path?query`, or `*` (RFC 9112, section 3.2).
  std::string_view target() const { return text(target_); }
  /// The target's path, not decoded, before `?`. Begins with `/`, except for `OPTIONS *`, where it is `*`.
  std::string_view path() const { return path_.length == 0 ? std::string_view("/") : text(path_); }
  /// What follows the first `?`, not decoded; empty when there is none.
  std::string_view query() const { return text(query_); }
  /// 0 for HTTP/1.0, 1 for HTTP/1.1.
  int minor_version() const { return minor_version_; }
  /// The value of the header `name` (compared without case). The lines of a repeated header are joined by ", "
  /// (RFC 9110, section 5.3), Cookie by "; ". Empty when the header is missing or empty.
  std::string_view header(std::string_view name) const;
  bool has_header(std::string_view name) const;
  /// The header lines as they came: repeated names are not joined here, trailers are left out.
  HeaderRange headers() const { return {{this, 0}, {this, fields_.size()}}; }
  size_t header_count() const { return fields_.size(); }
  /// The header line `index`, below header_count().
  Header header_at(size_t index) const { return {text(fields_[index].name), text(fields_[index].value)}; }
  /// The body without chunk framing; kBodyPadding zero bytes follow its end. Empty until the request is complete.
  std::string_view body() const { return text(body_); }
  /// Whether the connection may carry another request (RFC 9112, section 9.3).
  bool keep_alive() const { return keep_alive_; }
  /// Whether the client asks for another protocol: HTTP/1.1, `Connection: upgrade` and an Upgrade header
  /// (RFC 9110, section 7.8).
  bool upgrade() const { return upgrade_; }

 private:
  friend class RequestBuilder;

  struct Slice {
    uint32_t offset = 0;
    uint32_t length = 0;
  };
  struct Field {
    Slice name;
    Slice value;
  };

  std::string_view text(Slice slice) const { return std::string_view(storage_).substr(slice.offset, slice.length); }
  const Field* find(std::string_view name) const;

  std::string storage_;        // header block, joined values, body, padding
  std::vector<Field> fields_;  // in the order of the wire
  std::vector<Field> joined_;  // one for each repeated name; nearly always empty
  Slice method_text_;
  Slice target_;
  Slice path_;
  Slice query_;
  Slice body_;
  Method method_ = Method::kOther;
  uint8_t minor_version_ = 1;
  bool keep_alive_ = false;
  bool upgrade_ = false;
};

}  // namespace kilat::http
