#include "auth/jwk.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <new>
#include <optional>
#include <utility>

#include "auth/key_set.h"
#include "base/base64.h"

namespace kilat::auth {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::array kAlgorithms = std::to_array<Algorithm>({
    {"HS256", KeyType::kSecret, 32},
    {"HS384", KeyType::kSecret, 48},
    {"HS512", KeyType::kSecret, 64},
    {"RS256", KeyType::kRsa, 0},
    {"RS384", KeyType::kRsa, 0},
    {"RS512", KeyType::kRsa, 0},
    {"PS256", KeyType::kRsa, 0},
    {"PS384", KeyType::kRsa, 0},
    {"PS512", KeyType::kRsa, 0},
    {"ES256", KeyType::kP256, 64},
    {"ES384", KeyType::kP384, 96},
    {"ES512", KeyType::kP521, 132},
});

struct Free {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(BIGNUM* number) const { BN_free(number); }
};
using BioPtr = std::unique_ptr<BIO, Free>;
using EvpKeyPtr = std::unique_ptr<EVP_PKEY, Free>;
using X509Ptr = std::unique_ptr<X509, Free>;
using BignumPtr = std::unique_ptr<BIGNUM, Free>;

// What OpenSSL allocates for a block of PEM.
struct PemBlock {
  ~PemBlock() {
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
  }
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
};

// The type of a key that cjose has taken; an error where it is too weak.
JwkResult<KeyType> judge(const cjose_jwk_t* key) {
  switch (cjose_jwk_get_kty(key, nullptr)) {
    case CJOSE_JWK_KTY_OCT: return KeyType::kSecret;
    case CJOSE_JWK_KTY_RSA:
      if (cjose_jwk_get_keysize(key, nullptr) >= KeySet::kRsaBitsMin) return KeyType::kRsa;
      return std::unexpected("an RSA key of less than " + std::to_string(KeySet::kRsaBitsMin) + " bits");
    case CJOSE_JWK_KTY_EC: break;
  }
  switch (cjose_jwk_EC_get_curve(key, nullptr)) {
    case CJOSE_JWK_EC_P_256: return KeyType::kP256;
    case CJOSE_JWK_EC_P_384: return KeyType::kP384;
    case CJOSE_JWK_EC_P_521: return KeyType::kP521;
    default: return std::unexpected("a curve that no algorithm uses");
  }
}

// The library's own error is not looked at: it also says "no memory" of keys that it can't read.
JwkResult<Jwk> finish(cjose_jwk_t* made) {
  JwkPtr key(made);
  ERR_clear_error();
  if (!key) return std::unexpected("a key that can't be read");
  auto type = judge(key.get());
  if (!type) return std::unexpected(std::move(type.error()));
  return Jwk{.key = std::move(key), .type = *type, .kid = {}, .alg = {}};
}

std::vector<uint8_t> number_of(const EVP_PKEY* key, const char* name) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) return {};
  const BignumPtr number(raw);
  std::vector<uint8_t> bytes(static_cast<size_t>(BN_num_bytes(raw)));
  BN_bn2bin(raw, bytes.data());
  return bytes;
}

JwkResult<Jwk> from_rsa(const EVP_PKEY* key) {
  std::vector<uint8_t> n = number_of(key, OSSL_PKEY_PARAM_RSA_N);
  std::vector<uint8_t> e = number_of(key, OSSL_PKEY_PARAM_RSA_E);
  cjose_jwk_rsa_keyspec spec{};
  spec.n = n.data();
  spec.nlen = n.size();
  spec.e = e.data();
  spec.elen = e.size();
  cjose_err error{};
  cjose_jwk_t* made = cjose_jwk_create_RSA_spec(&spec, &error);
  return finish(made);
}

JwkResult<Jwk> from_ec(const EVP_PKEY* key) {
  std::array<char, 64> group{};
  size_t size = 0;
  EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size(), &size);
  cjose_jwk_ec_keyspec spec{};
  switch (OBJ_txt2nid(group.data())) {
    case NID_X9_62_prime256v1: spec.crv = CJOSE_JWK_EC_P_256; break;
    case NID_secp384r1: spec.crv = CJOSE_JWK_EC_P_384; break;
    case NID_secp521r1: spec.crv = CJOSE_JWK_EC_P_521; break;
    default: return std::unexpected("a curve other than P-256, P-384 and P-521");
  }
  std::vector<uint8_t> x = number_of(key, OSSL_PKEY_PARAM_EC_PUB_X);
  std::vector<uint8_t> y = number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y);
  spec.x = x.data();
  spec.xlen = x.size();
  spec.y = y.data();
  spec.ylen = y.size();
  cjose_err error{};
  cjose_jwk_t* made = cjose_jwk_create_EC_spec(&spec, &error);
  return finish(made);
}

JwkResult<Jwk> from_block(const PemBlock& block) {
  const std::string_view name(block.name);
  const unsigned char* at = block.data;
  EvpKeyPtr key;
  if (name == "CERTIFICATE") {
    const X509Ptr certificate(d2i_X509(nullptr, &at, block.size));
    if (certificate) key.reset(X509_get_pubkey(certificate.get()));
  } else if (name == "PUBLIC KEY") {
    key.reset(d2i_PUBKEY(nullptr, &at, block.size));
  } else if (name.ends_with("PRIVATE KEY")) {
    return std::unexpected("a private key; the public one is wanted");
  } else {
    return std::unexpected("neither PUBLIC KEY nor CERTIFICATE");
  }
  if (!key) return std::unexpected("a key that can't be read");
  if (EVP_PKEY_is_a(key.get(), "RSA") == 1) return from_rsa(key.get());
  if (EVP_PKEY_is_a(key.get(), "EC") == 1) return from_ec(key.get());
  return std::unexpected("a key that is neither RSA nor EC");
}

// Empty when the key may check signatures, else why not (RFC 7517 sections 4.2 and 4.3).
std::string purpose_fault(const object& entry) {
  if (const auto use = entry["use"]; use.error() == simdjson::SUCCESS) {
    if (string_member(entry, "use") != "sig") return "a key that is not for signatures";
  }
  array operations;
  if (entry["key_ops"].get(operations) == simdjson::SUCCESS) {
    const auto verifies = [](const element& one) {
      std::string_view text;
      return one.get(text) == simdjson::SUCCESS && text == "verify";
    };
    if (std::ranges::none_of(operations, verifies)) return "a key that is not for signatures";
  }
  return {};
}

// The library ends the process over base64 of an impossible length, so it is given none that is not right.
bool decodes(const object& entry) {
  for (const char* name : {"k", "n", "e", "d", "p", "q", "dp", "dq", "qi", "x", "y"}) {
    if (entry.at_key(name).error() != simdjson::SUCCESS) continue;
    const auto text = string_member(entry, name);
    if (!text || !base64url_decode(*text)) return false;
  }
  return true;
}

}  // namespace

const Algorithm* find_algorithm(std::string_view name) {
  const auto found = std::ranges::find(kAlgorithms, name, &Algorithm::name);
  return found == kAlgorithms.end() ? nullptr : &*found;
}

JwkResult<Jwk> make_secret(std::string_view secret) {
  if (secret.empty()) return std::unexpected("an empty secret");
  cjose_err error{};
  const auto* bytes = reinterpret_cast<const uint8_t*>(secret.data());
  cjose_jwk_t* made = cjose_jwk_create_oct_spec(bytes, secret.size(), &error);
  return finish(made);
}

JwkResult<Jwk> read_jwk(const object& entry) {
  const auto kty = string_member(entry, "kty");
  if (kty != "RSA" && kty != "EC" && kty != "oct") return std::unexpected("a key of an unknown type");
  if (std::string fault = purpose_fault(entry); !fault.empty()) return std::unexpected(std::move(fault));
  if (kty != "oct" && entry["d"].error() == simdjson::SUCCESS) {
    return std::unexpected("a private key; the public one is wanted");
  }
  if (!decodes(entry)) return std::unexpected("a key that can't be read");
  const std::string text = simdjson::minify(entry);
  cjose_err error{};
  cjose_jwk_t* made = cjose_jwk_import(text.data(), text.size(), &error);
  auto jwk = finish(made);
  if (!jwk) return jwk;
  jwk->kid = string_member(entry, "kid").value_or("");
  if (entry["alg"].error() == simdjson::SUCCESS) {
    jwk->alg = string_member(entry, "alg").value_or("");
    const Algorithm* algorithm = find_algorithm(jwk->alg);
    if (algorithm == nullptr || algorithm->type != jwk->type) return std::unexpected("a key for another algorithm");
  }
  return jwk;
}

JwkResult<std::vector<Jwk>> read_pem(std::string_view text) {
  const BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  if (!bio) throw std::bad_alloc();
  std::vector<Jwk> keys;
  for (;;) {
    PemBlock block;
    if (PEM_read_bio(bio.get(), &block.name, &block.header, &block.data, &block.size) != 1) break;
    auto key = from_block(block);
    ERR_clear_error();
    if (!key) return std::unexpected(std::move(key.error()));
    keys.push_back(std::move(*key));
  }
  ERR_clear_error();
  if (keys.empty()) return std::unexpected("no PEM block that can be read");
  return keys;
}

}  // namespace kilat::auth
