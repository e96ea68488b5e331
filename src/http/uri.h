// The parts of a request target: percent-encoding, query parameters, path segments (RFC 3986). Pure functions and
// small values; no thread rule. Bounds: kQueryItemsMax parameters, kPathSegmentsMax segments.
#pragma once

#include <array>
#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <cstdint>
#include <forward_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace kilat::http {

/// What a `+` stands for. In a URI it is itself; only HTML forms mean a space by it, and a signature is computed over
/// one of the two readings.
enum class Plus : uint8_t { kKept, kSpace };

/// `text` with every %XX replaced by its byte; any byte may result, also NUL. Nothing when a `%` is not followed by two
/// hex digits (RFC 3986, section 2.1).
std::optional<std::string> percent_decode(std::string_view text, Plus plus = Plus::kKept);

/// An absolute URL for logs and people: without name and password, and without what follows a question mark, where
/// there may be secrets.
std::string shown_url(std::string_view url);

inline constexpr size_t kQueryItemsMax = 64;

/// The parameters of a query in their order, names and values decoded. Nearly all are written without a code, so they
/// are views into the query itself, which must outlive this object; what had to be decoded is kept here.
class Query {
 public:
  struct Item {
    std::string_view name;
    std::string_view value;
  };

  /// Reads a raw query, without its `?`. Empty pieces (`a=1&&b=2`) are left out; a piece without `=` has an empty
  /// value.
  explicit Query(std::string_view raw, Plus plus = Plus::kKept);
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  /// The first value of `name`, compared with case; nothing when it is missing. Valid as long as this object.
  std::optional<std::string_view> get(std::string_view name) const;
  std::span<const Item> items() const { return items_; }
  /// Whether there were more than kQueryItemsMax parameters; the rest is left out, so refuse the request.
  bool too_many() const { return too_many_; }
  /// Whether a percent-encoding was broken; that name or value stands here as it came.
  bool malformed() const { return malformed_; }

 private:
  static constexpr size_t kItemsUsual = 8;  ///< as many as a signed request has, without an allocation

  std::string_view decode(std::string_view raw, Plus plus);

  boost::container::small_vector<Item, kItemsUsual> items_;
  std::forward_list<std::string> decoded_;
  bool too_many_ = false;
  bool malformed_ = false;
};

inline constexpr size_t kPathSegmentsMax = 8;

/// The segments of a path, raw: an encoded slash (`%2F`) stays inside its segment. Views into the path.
class PathSegments {
 public:
  size_t size() const { return count_; }
  /// Segment `index`; empty behind the last one.
  std::string_view operator[](size_t index) const;
  /// Whether the path had more than kPathSegmentsMax segments; the rest is left out.
  bool too_many() const { return too_many_; }

 private:
  friend PathSegments split_path(std::string_view path);

  std::array<std::string_view, kPathSegmentsMax> segments_;
  size_t count_ = 0;
  bool too_many_ = false;
};

/// Splits at `/`: "/apps/1/events" has three segments, "/" none, "/a/" two of which the last is empty.
PathSegments split_path(std::string_view path);

}  // namespace kilat::http
