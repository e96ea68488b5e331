// Keys and tokens for tests: made by OpenSSL, signed by cjose. Everything an issuer has, private keys included.
#pragma once

#include <cjose/cjose.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/base64.h"
#include "base/json_text.h"

namespace kilat::auth::testing {

inline constexpr uint64_t kNow = 1'800'000'000;
inline constexpr std::string_view kSecret = "a secret of the test, long enough";

struct PkeyFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Pkey = std::unique_ptr<EVP_PKEY, PkeyFree>;
struct CjoseFree {
  void operator()(cjose_jwk_t* jwk) const { cjose_jwk_release(jwk); }
};
using PrivateJwk = std::unique_ptr<cjose_jwk_t, CjoseFree>;

inline std::vector<uint8_t> number(const EVP_PKEY* key, const char* name) {
  BIGNUM* value = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &value) != 1) return {};
  std::vector<uint8_t> bytes(static_cast<size_t>(BN_num_bytes(value)));
  BN_bn2bin(value, bytes.data());
  BN_free(value);
  return bytes;
}

/// One key of an issuer.
class Signer {
 public:
  /// "secret", "RSA", "RSA-1024", "P-256", "P-384", "P-521".
  explicit Signer(const std::string& kind) : kind_(kind) {
    if (kind == "secret") {
      jwk_.reset(cjose_jwk_create_oct_spec(reinterpret_cast<const uint8_t*>(kSecret.data()), kSecret.size(), nullptr));
    } else if (kind.starts_with("RSA")) {
      pkey_.reset(EVP_RSA_gen(kind == "RSA" ? 2048u : 1024u));
      auto n = number(pkey_.get(), OSSL_PKEY_PARAM_RSA_N);
      auto e = number(pkey_.get(), OSSL_PKEY_PARAM_RSA_E);
      auto d = number(pkey_.get(), OSSL_PKEY_PARAM_RSA_D);
      cjose_jwk_rsa_keyspec spec{};
      spec.n = n.data(), spec.nlen = n.size();
      spec.e = e.data(), spec.elen = e.size();
      spec.d = d.data(), spec.dlen = d.size();
      jwk_.reset(cjose_jwk_create_RSA_spec(&spec, nullptr));
    } else {
      pkey_.reset(EVP_EC_gen(kind.c_str()));
      auto d = number(pkey_.get(), OSSL_PKEY_PARAM_PRIV_KEY);
      auto x = number(pkey_.get(), OSSL_PKEY_PARAM_EC_PUB_X);
      auto y = number(pkey_.get(), OSSL_PKEY_PARAM_EC_PUB_Y);
      cjose_jwk_ec_keyspec spec{};
      spec.crv = kind == "P-256" ? CJOSE_JWK_EC_P_256 : kind == "P-384" ? CJOSE_JWK_EC_P_384 : CJOSE_JWK_EC_P_521;
      spec.d = d.data(), spec.dlen = d.size();
      spec.x = x.data(), spec.xlen = x.size();
      spec.y = y.data(), spec.ylen = y.size();
      jwk_.reset(cjose_jwk_create_EC_spec(&spec, nullptr));
    }
  }

  const std::string& kind() const { return kind_; }

  /// The public key in PEM.
  std::string pem() const {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(bio, pkey_.get());
    return drain(bio);
  }
  std::string private_pem() const {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, pkey_.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return drain(bio);
  }
  /// An entry of a JWKS, `more` (such as `,"use":"enc"`) within; a secret as it is.
  std::string entry(std::string_view kid = {}, std::string_view more = {}) const {
    return entry_of(kind_ == "secret", kid, more);
  }
  std::string private_entry() const { return entry_of(true, {}, {}); }

  std::string sign(std::string_view payload, const std::string& alg, const std::string& kid = {}) const {
    cjose_header_t* header = cjose_header_new(nullptr);
    cjose_header_set(header, "alg", alg.c_str(), nullptr);
    if (!kid.empty()) cjose_header_set(header, "kid", kid.c_str(), nullptr);
    cjose_jws_t* jws =
        cjose_jws_sign(jwk_.get(), header, reinterpret_cast<const uint8_t*>(payload.data()), payload.size(), nullptr);
    const char* text = nullptr;
    std::string token;
    if (jws != nullptr && cjose_jws_export(jws, &text, nullptr)) token = text;
    cjose_jws_release(jws);
    cjose_header_release(header);
    return token;
  }

 private:
  static std::string drain(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    std::string text(data, static_cast<size_t>(size));
    BIO_free_all(bio);
    return text;
  }
  std::string entry_of(bool whole, std::string_view kid, std::string_view more) const {
    char* json = cjose_jwk_to_json(jwk_.get(), whole, nullptr);
    std::string text(json);
    cjose_get_dealloc()(json);
    text.pop_back();
    if (!kid.empty()) text += ",\"kid\":" + json_string(kid);
    return text.append(more) + "}";
  }

  std::string kind_;
  Pkey pkey_;
  PrivateJwk jwk_;
};

/// Made once: RSA keys take their time.
inline const Signer& rsa() {
  static const Signer signer("RSA");
  return signer;
}
inline const Signer& other_rsa() {
  static const Signer signer("RSA");
  return signer;
}
inline const Signer& p256() {
  static const Signer signer("P-256");
  return signer;
}
inline const Signer& p384() {
  static const Signer signer("P-384");
  return signer;
}
inline const Signer& p521() {
  static const Signer signer("P-521");
  return signer;
}
inline const Signer& secret() {
  static const Signer signer("secret");
  return signer;
}

inline std::string jwks(const std::vector<std::string>& entries) {
  std::string text = "{\"keys\":[";
  for (const std::string& entry : entries) text += (text.back() == '[' ? "" : ",") + entry;
  return text + "]}";
}

/// A token with any header, signed with HMAC by hand where `key` is given.
inline std::string by_hand(std::string_view header, std::string_view payload, std::string_view key = {},
                           const EVP_MD* digest = EVP_sha256()) {
  std::string token = base64url_encode(header) + "." + base64url_encode(payload);
  unsigned char mac[EVP_MAX_MD_SIZE];
  size_t size = 0;
  if (!key.empty()) {
    EVP_Q_mac(nullptr, "HMAC", nullptr, EVP_MD_get0_name(digest), nullptr, key.data(), key.size(),
              reinterpret_cast<const unsigned char*>(token.data()), token.size(), mac, sizeof mac, &size);
  }
  return token + "." + base64url_encode({reinterpret_cast<const char*>(mac), size});
}

/// An algorithm, and who signs with it.
struct Case {
  const Signer& signer;
  std::string alg;
};

inline std::vector<Case> all_algorithms() {
  return {{secret(), "HS256"}, {secret(), "HS384"}, {secret(), "HS512"}, {rsa(), "RS256"},
          {rsa(), "RS384"},    {rsa(), "RS512"},    {rsa(), "PS256"},    {rsa(), "PS384"},
          {rsa(), "PS512"},    {p256(), "ES256"},   {p384(), "ES384"},   {p521(), "ES512"}};
}

}  // namespace kilat::auth::testing
