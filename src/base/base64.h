// Base64 (RFC 4648) in its two alphabets. Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kilat {

/// The standard alphabet with padding (section 4); appended to `out`.
void append_base64(std::string& out, std::string_view bytes);

/// Reads the standard alphabet, padded or not; appended to `out`. False, with `out` in any state, when there is
/// anything else in `text`.
bool base64_decode(std::string_view text, std::string& out);

/// The alphabet for URLs (section 5) without padding.
std::string base64url_encode(std::string_view bytes);
std::optional<std::string> base64url_decode(std::string_view text);

}  // namespace kilat
