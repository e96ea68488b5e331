// JsonPointer: which value inside a JSON document is meant (RFC 6901). Immutable after parsing; any thread.
// Bounds: kTokensMax steps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kilat::flow {

class JsonPointer {
 public:
  static constexpr size_t kTokensMax = 32;

  /// One step: the name of a member, and the place in an array that the same text stands for (section 4: digits without
  /// leading zeros).
  struct Token {
    std::string name;
    std::optional<uint64_t> index;
  };

  /// "" (the whole document), /a/b, or the form for URI fragments, which can name members with a space: #/a%20b
  /// (section 6). Or what is wrong with the text, as the end of a sentence.
  static std::expected<JsonPointer, std::string> parse(std::string_view text);

  const std::vector<Token>& tokens() const { return tokens_; }

 private:
  std::vector<Token> tokens_;
};

}  // namespace kilat::flow
