// Small rules of HTTP text: tokens, lists, comparing without case (RFC 9110, section 5.6). Pure functions of their
// arguments, free for any thread; nothing allocates.
#pragma once

#include <cstddef>
#include <string_view>

namespace kilat::http {

/// `c` in lower case, ASCII letters only: a locale must never decide how a header name is compared.
constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// Whether `a` and `b` are the same text, ASCII letters compared without case.
constexpr bool iequals(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

/// Whether `c` may stand in a token: a method or a header name (RFC 9110, section 5.6.2).
constexpr bool is_token_char(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

/// Whether `text` is a token: not empty, and every character is allowed.
constexpr bool is_token(std::string_view text) {
  for (const char c : text) {
    if (!is_token_char(c)) return false;
  }
  return !text.empty();
}

/// `text` without spaces and tabs at both ends.
constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// The token of an Authorization header with the scheme Bearer (RFC 6750, section 2.1); empty when it has another.
constexpr std::string_view bearer_token(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  return iequals(authorization.substr(0, kScheme.size()), kScheme) ? trim(authorization.substr(kScheme.size()))
                                                                   : std::string_view();
}

/// Whether the comma-separated `list` has the element `token`, compared without case (RFC 9110, section 5.6.1).
constexpr bool list_has(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    if (iequals(trim(list.substr(0, comma)), token)) return true;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace kilat::http
