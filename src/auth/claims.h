// Claims: reading the JSON of tokens and key documents. Pure functions; any thread. Their results live as long as the
// document they were given. Bounds: those of JsonParser, and kClaimsMax and kClaimBytesMax for what is kept.
// Heavy to compile, as json_parser.h is: include it in .cc files only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_parser.h"

namespace kilat::auth {

inline constexpr size_t kClaimsMax = 1'000;
inline constexpr size_t kClaimBytesMax = 64 * 1024;  ///< paths and values together

/// Whether any object in it has two members of the same name. Two readers could take different ones for the true one
/// (RFC 7515 section 4, RFC 7519 section 4), so such text is refused.
bool has_twins(const simdjson::dom::element& value);

/// The value at a dotted path. A member whose whole name has dots in it, such as "https://id.example/roles", is found
/// before the dots are taken for steps into objects.
std::optional<simdjson::dom::element> claim_at(const simdjson::dom::object& claims, std::string_view path);

/// Everything that is a text, a number or a truth value, as Identity::claims describes it; nothing when there is more
/// than the bounds allow.
std::optional<std::vector<std::pair<std::string, std::string>>> flatten(const simdjson::dom::object& claims);

/// A text, a number or a truth value as text; nothing for all else.
std::optional<std::string> plain_text(const simdjson::dom::element& value);

}  // namespace kilat::auth
