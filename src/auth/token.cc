#include "auth/token.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "auth/claims.h"
#include "base/base64.h"
#include "base/json_parser.h"
#include "base/json_text.h"
#include "base/words.h"

namespace kilat::auth {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

constexpr double kYear9999 = 253'402'300'799.0;

std::unexpected<Error> invalid(std::string detail) {
  return fail(Reason::kTokenInvalid, std::move(detail));
}

struct Header {
  std::string alg;
  std::string kid;  ///< empty: none
};

// The bytes of a part. Letters whose last bits count for nothing would make several texts of one token.
std::optional<std::string> part_bytes(std::string_view part) {
  std::optional<std::string> bytes = base64url_decode(part);
  if (bytes && base64url_encode(*bytes) != part) return std::nullopt;
  return bytes;
}

// The document of `text` lives until the next call of this thread.
Result<object> read_object(std::string_view text, std::string_view what) {
  thread_local JsonParser parser;
  const auto root = parser.parse_copy(text);
  object members;
  if (!root || root->get(members) != simdjson::SUCCESS)
    return invalid("the " + std::string(what) + " is no JSON object");
  // Whole numbers are cut, and halves of surrogate pairs are replaced: two users would become one.
  if (parser.mended()) {
    return invalid("the " + std::string(what) + " has a number with too many digits, or half a surrogate pair");
  }
  if (has_twins(*root)) return invalid("the " + std::string(what) + " has two members of one name");
  return members;
}

Result<Header> read_header(std::string_view text) {
  TRY(const object members, read_object(text, "header"));
  const auto alg = string_member(members, "alg");
  if (!alg) return invalid("the header has no alg");
  if (!is_algorithm(*alg)) return invalid("alg is none that can be checked");
  if (members["crit"].error() == simdjson::SUCCESS) return invalid("the header has crit");
  Header header{.alg = std::string(*alg), .kid = {}};
  if (members["kid"].error() != simdjson::SUCCESS) return header;
  const auto kid = string_member(members, "kid");
  if (!kid) return invalid("kid is no text");
  header.kid = *kid;
  return header;
}

Result<void> check_signature(std::string_view token, const Header& header, const JwtSettings& settings,
                             const KeySet& keys) {
  const auto& allowed = settings.algorithms;
  if (!allowed.empty() && std::ranges::find(allowed, header.alg) == allowed.end()) {
    return invalid("alg " + header.alg + " is not one of jwt_algorithms");
  }
  switch (keys.verify(token, header.alg, header.kid)) {
    case KeySet::Verdict::kGood: return {};
    case KeySet::Verdict::kForged: return invalid("the signature does not fit");
    case KeySet::Verdict::kAlgorithmRefused: return invalid("alg " + header.alg + " is not one that the keys allow");
    case KeySet::Verdict::kUnknownKey: break;
  }
  return fail(Reason::kTokenKeyUnknown, header.kid.empty() ? "no key fits" : "no key has its kid");
}

// A NumericDate, RFC 7519 section 2: seconds, fractions allowed. Nothing when the claim is absent.
Result<std::optional<double>> date_of(const object& claims, std::string_view name) {
  element value;
  if (claims.at_key(name).get(value) != simdjson::SUCCESS) return std::optional<double>();
  double seconds = 0;
  if (!value.is_number() || value.get(seconds) != simdjson::SUCCESS)
    return invalid(std::string(name) + " is no number");
  return std::optional(std::min(seconds, kYear9999));
}

// When the token ends, 0: never.
Result<uint64_t> check_dates(const object& claims, uint32_t leeway_s, uint64_t now_unix_s) {
  const auto now = static_cast<double>(now_unix_s);
  for (const char* name : {"nbf", "iat"}) {
    TRY(const std::optional<double> begin, date_of(claims, name));
    if (begin && *begin > now + leeway_s) return invalid(std::string(name) + " is in the future");
  }
  TRY(const std::optional<double> end, date_of(claims, "exp"));
  if (!end) return uint64_t{0};
  if (std::ceil(*end) + leeway_s <= now) return fail(Reason::kTokenExpired, "exp is in the past");
  // Not 0, which is for tokens without an end.
  return static_cast<uint64_t>(std::max(1.0, std::ceil(*end)));
}

bool audience_holds(const object& claims, std::string_view wanted) {
  if (string_member(claims, "aud") == wanted) return true;
  array entries;
  if (claims["aud"].get(entries) != simdjson::SUCCESS) return false;
  return std::ranges::any_of(entries, [&](const element& entry) {
    std::string_view text;
    return entry.get(text) == simdjson::SUCCESS && text == wanted;
  });
}

Result<void> check_parties(const object& claims, const JwtSettings& settings) {
  if (!settings.issuer.empty() && string_member(claims, "iss") != settings.issuer) {
    return invalid("iss is not " + json_string(settings.issuer));
  }
  if (!settings.audience.empty() && !audience_holds(claims, settings.audience)) {
    return invalid("aud is not " + json_string(settings.audience));
  }
  return {};
}

Result<std::string> user_of(const object& claims, const std::string& path) {
  const auto value = claim_at(claims, path);
  if (!value) return invalid("there is no " + path);
  const bool fits = value->is_string() || value->is_int64() || value->is_uint64();
  std::string id = fits ? plain_text(*value).value_or("") : "";
  if (id.empty()) return invalid(path + " names no user");
  return id;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (std::string_view word = take_word(text); !word.empty(); word = take_word(text)) words.emplace_back(word);
  return words;
}

Result<std::vector<std::string>> roles_of(const object& claims, const std::string& path) {
  const auto value = claim_at(claims, path);
  if (!value || value->is_null()) return std::vector<std::string>();
  std::string_view text;
  if (value->get(text) == simdjson::SUCCESS) return words_of(text);
  array entries;
  if (value->get(entries) != simdjson::SUCCESS) return invalid(path + " is no list of roles");
  std::vector<std::string> roles;
  for (const element& entry : entries) {
    if (entry.get(text) != simdjson::SUCCESS) return invalid(path + " is no list of texts");
    if (roles.size() == kClaimsMax) return invalid("there are too many roles");
    roles.emplace_back(text);
  }
  return roles;
}

std::string info_of(const object& claims, const std::vector<std::string>& paths) {
  std::string out;
  for (const std::string& path : paths) {
    const auto value = claim_at(claims, path);
    if (!value) continue;
    out += (out.empty() ? "{" : ",") + json_string(path) + ":" + std::string(simdjson::minify(*value));
  }
  return out.empty() ? out : out + "}";
}

Result<IdentityPtr> identity_of(const object& claims, const JwtSettings& settings, uint64_t expires_unix_s) {
  auto identity = std::make_shared<Identity>();
  identity->expires_unix_s = expires_unix_s;
  TRY(identity->user_id, user_of(claims, settings.user_claim));
  TRY(identity->roles, roles_of(claims, settings.roles_claim));
  identity->info = info_of(claims, settings.info_claims);
  auto all = flatten(claims);
  if (!all) return invalid("there are too many claims");
  identity->claims = std::move(*all);
  return identity;
}

}  // namespace

Result<IdentityPtr> check_token(std::string_view token, const JwtSettings& settings, const KeySet& keys,
                                uint64_t now_unix_s) {
  if (token.size() > kTokenBytesMax) return invalid("it is longer than 16 KiB");
  const size_t first = token.find('.');
  const size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    return invalid("it does not have three parts");
  }
  const auto header_text = part_bytes(token.substr(0, first));
  const auto claims_text = part_bytes(token.substr(first + 1, second - first - 1));
  if (!header_text || !claims_text || !part_bytes(token.substr(second + 1))) {
    return invalid("its parts are not in base64url");
  }
  TRY(const Header header, read_header(*header_text));
  TRY_VOID(check_signature(token, header, settings, keys));
  TRY(const object claims, read_object(*claims_text, "payload"));
  TRY_VOID(check_parties(claims, settings));
  TRY(const uint64_t expires_unix_s, check_dates(claims, settings.leeway_s, now_unix_s));
  return identity_of(claims, settings, expires_unix_s);
}

Result<IdentityPtr> read_claims(std::string_view claims, const JwtSettings& settings) {
  TRY(const object members, read_object(claims, "text"));
  return identity_of(members, settings, 0);
}

}  // namespace kilat::auth
