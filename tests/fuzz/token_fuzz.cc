// Tokens from anywhere. Input that begins with the byte 1 is the header and, behind a line break, the payload of a
// token that is then signed rightly, so that the claims are reached; with the byte 2 it is a file of keys; all other
// input is the token itself. Nobody is let in whose token was not signed with the key, and no answer is outside its
// bounds.
#include <openssl/evp.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "auth/claims.h"
#include "auth/token.h"
#include "base/base64.h"
#include "fuzz/require.h"

namespace {

using namespace kilat;
using kilat::testing::require;

constexpr uint64_t kNow = 1'800'000'000;
constexpr std::string_view kSecret = "the secret of the fuzz target";

auth::KeySet make_keys() {
  auth::KeySet keys;
  require(keys.add_secret(kSecret).has_value());
  require(keys.add_file("-----BEGIN PUBLIC KEY-----\n"
                        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEAZqQS76uXCot8VXWN9gGrcC4aXtC\n"
                        "GuiUEPPpbqYMpxBb7iEmaLoXi3A6eyjyUF90SEGUCz+Y0DEyIOnnHx8ztQ==\n"
                        "-----END PUBLIC KEY-----\n")
              .has_value());
  return keys;
}

const auth::KeySet& keys() {
  static const auth::KeySet set = make_keys();
  return set;
}

std::string mac_of(std::string_view text) {
  unsigned char mac[EVP_MAX_MD_SIZE];
  size_t size = 0;
  require(EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, kSecret.data(), kSecret.size(),
                    reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, sizeof mac,
                    &size) != nullptr);
  return std::string(reinterpret_cast<const char*>(mac), size);
}

void check_identity(const auth::Identity& who) {
  require(!who.user_id.empty());
  require(who.claims.size() <= auth::kClaimsMax && who.roles.size() <= auth::kClaimsMax);
  require(who.expires_unix_s == 0 || (who.expires_unix_s + 30 > kNow && who.expires_unix_s < 253'402'300'800));
  require(who.info.empty() || (who.info.starts_with('{') && who.info.ends_with('}')));
}

void check(std::string_view token, bool signed_here) {
  auth::JwtSettings settings;
  settings.info_claims = {"name", "a.b"};
  const auto result = auth::check_token(token, settings, keys(), kNow);
  if (!result) return;
  require(signed_here);
  check_identity(**result);
  // The same once more, with one byte of the signature changed.
  std::string other(token);
  other.back() = other.back() == 'A' ? 'B' : 'A';
  require(!auth::check_token(other, settings, keys(), kNow));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.starts_with('\x02')) {
    auth::KeySet set;
    const bool added = set.add_file(text.substr(1)).has_value();
    require(added == (set.size() > 0) && set.size() <= auth::KeySet::kKeysMax);
    return 0;
  }
  if (text.starts_with('\x01')) {
    const size_t end = std::min(text.find('\n'), text.size() - 1);
    std::string token = base64url_encode(text.substr(1, end - 1)) + "." + base64url_encode(text.substr(end + 1));
    token += "." + base64url_encode(mac_of(token));
    check(token, true);
    return 0;
  }
  // A signature that is right can only be one of the corpus.
  const size_t dot = text.rfind('.');
  const bool right =
      dot != std::string_view::npos && base64url_decode(text.substr(dot + 1)) == mac_of(text.substr(0, dot));
  check(text, right);
  return 0;
}
