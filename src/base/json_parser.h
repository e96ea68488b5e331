// JsonParser: strict JSON, parsed by simdjson into a document that lives until the next parse.
// Owner: one shard; its memory is reused. Bounds: nesting of kDepthMax, size of the text given.
// Heavy to compile: include it in .cc files only.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>

namespace kilat {

class JsonParser {
 public:
  static constexpr size_t kDepthMax = 512;

  /// The document, or nothing when `text` is not valid JSON in valid UTF-8. 64 readable bytes follow `text`. Numbers
  /// of any length and size are accepted, as RFC 8259 has no limit, and so are escapes of half surrogate pairs; the
  /// document then holds fewer digits, a smaller exponent, or U+FFFD, the text stays as it is. Without memory:
  /// std::bad_alloc, as everywhere.
  std::optional<simdjson::dom::element> parse(std::string_view text);

  /// The same for text without readable bytes behind it: copies.
  std::optional<simdjson::dom::element> parse_copy(std::string_view text);

  /// Whether the document of the last parse holds less than its text, as said above: then texts that differ may have
  /// given equal documents.
  bool mended() const { return mended_; }

 private:
  [[noreturn]] void out_of_memory();

  simdjson::dom::parser parser_;
  std::string copy_;
  bool mended_ = false;
};

/// A member with the text it was parsed from.
struct RawMember {
  simdjson::dom::element value;
  std::string_view raw;
};

/// The first member whose key, escapes resolved, is `key`, in the document and in `text`, which `object` was parsed
/// from: the two can never be different members.
std::optional<RawMember> find_raw(const simdjson::dom::object& object, std::string_view text, std::string_view key);

/// Member `key` as a string; nothing when absent or of another type. The view lives as long as the document.
std::optional<std::string_view> string_member(const simdjson::dom::object& object, std::string_view key);

}  // namespace kilat
