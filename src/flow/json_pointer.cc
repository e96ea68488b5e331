#include "flow/json_pointer.h"

#include <charconv>

#include "base/quantity.h"

namespace kilat::flow {
namespace {

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    uint8_t byte = 0;
    const char* begin = text.data() + i + 1;
    if (i + 3 > text.size() || std::from_chars(begin, begin + 2, byte, 16).ptr != begin + 2) return std::nullopt;
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

// ~1 is a slash and ~0 a tilde; in this order, so that ~01 becomes ~1 (RFC 6901 section 4).
std::optional<std::string> unescaped(std::string_view token) {
  std::string out;
  for (size_t i = 0; i < token.size(); ++i) {
    if (token[i] != '~') {
      out += token[i];
      continue;
    }
    ++i;
    if (i == token.size() || (token[i] != '0' && token[i] != '1')) return std::nullopt;
    out += token[i] == '0' ? '~' : '/';
  }
  return out;
}

std::optional<uint64_t> array_index(std::string_view token) {
  if (token.size() > 1 && token.front() == '0') return std::nullopt;
  return parse_whole(token);
}

}  // namespace

std::expected<JsonPointer, std::string> JsonPointer::parse(std::string_view text) {
  const auto wrong = [&](std::string_view what) {
    return std::unexpected("has a JSON pointer that " + std::string(what) + ": " + std::string(text));
  };
  std::string decoded(text);
  if (text.starts_with('#')) {
    auto plain = percent_decoded(text.substr(1));
    if (!plain) return wrong("has a % without two hex digits behind it");
    decoded = std::move(*plain);
  }
  if (!decoded.empty() && decoded.front() != '/') return wrong("does not begin with a slash");
  JsonPointer pointer;
  for (std::string_view rest = decoded; !rest.empty();) {
    rest.remove_prefix(1);
    const std::string_view token = rest.substr(0, rest.find('/'));
    rest.remove_prefix(token.size());
    auto name = unescaped(token);
    if (!name) return wrong("has a ~ that is neither ~0 nor ~1");
    if (pointer.tokens_.size() == kTokensMax) return wrong("has more than 32 steps");
    const std::optional<uint64_t> index = array_index(*name);
    pointer.tokens_.push_back({std::move(*name), index});
  }
  return pointer;
}

}  // namespace kilat::flow
