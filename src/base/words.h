// Entries of the configuration and claims that are words in one text. Pure; any thread.
#pragma once

#include <algorithm>
#include <string_view>

namespace kilat {

/// Takes the next word off `text`; "" at its end. `between`: the characters that part words.
inline std::string_view take_word(std::string_view& text, std::string_view between = " ") {
  text.remove_prefix(std::min(text.find_first_not_of(between), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(between));
  text.remove_prefix(word.size());
  return word;
}

/// Without spaces and tabs at both ends.
inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace kilat
