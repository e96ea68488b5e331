// Jwk: one public key or secret as cjose keeps it, and what it may be used for. Owned by the KeySet it is in.
// cjose counts references of its keys without atomics, so a Jwk has one owner and nobody else retains it; checking a
// signature with it only reads it, on any thread.
// For .cc files of this folder only, so that the types of the library stay out of all others.
#pragma once

#include <cjose/cjose.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/claims.h"

namespace kilat::auth {

enum class KeyType : uint8_t { kSecret, kRsa, kP256, kP384, kP521 };

struct JwkFree {
  void operator()(cjose_jwk_t* jwk) const { cjose_jwk_release(jwk); }
};
using JwkPtr = std::unique_ptr<cjose_jwk_t, JwkFree>;

struct Jwk {
  JwkPtr key;
  KeyType type;
  std::string kid;  ///< empty: none
  std::string alg;  ///< the only algorithm it is for; empty: all of its type
};

struct Algorithm {
  std::string_view name;
  KeyType type;
  size_t signature_bytes;  ///< 0: as long as the key is
};

/// Null when it is unknown (RFC 7518 section 3.1; "none" is not among them).
const Algorithm* find_algorithm(std::string_view name);

/// Errors say what is wrong with the key, and hold nothing of it.
template <typename T>
using JwkResult = std::expected<T, std::string>;

JwkResult<Jwk> make_secret(std::string_view secret);

/// One entry of a JWKS.
JwkResult<Jwk> read_jwk(const simdjson::dom::object& entry);

/// All public keys and certificates of a PEM text, at least one.
JwkResult<std::vector<Jwk>> read_pem(std::string_view text);

}  // namespace kilat::auth
