// KeySet: the keys that the tokens of one app are checked with. Built by one thread, then immutable and shared by all
// shards (shared_ptr<const KeySet>): checking a signature reads the keys only, all that it writes belongs to the call.
// A key checks the algorithms of its own type and no other, whatever a token says (RFC 8725 section 3.1): a secret
// HS256 to HS512, RSA the RS and PS ones, P-256 ES256, P-384 ES384, P-521 ES512.
// Bounds: kKeysMax keys; kTextBytesMax for a file or document.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kilat::auth {

struct Jwk;

class KeySet {
 public:
  static constexpr size_t kKeysMax = 32;
  static constexpr size_t kTextBytesMax = 256 * 1024;
  static constexpr size_t kRsaBitsMin = 2048;  ///< RFC 7518 section 3.3

  /// What is wrong, for people; never holds any of the key. After an error the set is as it was before.
  using Added = std::expected<void, std::string>;
  enum class Origin : uint8_t { kFile, kUrl };
  enum class Verdict : uint8_t {
    kGood,
    kForged,            ///< the signature does not fit
    kUnknownKey,        ///< no key has the id, or one that is not loaded yet might fit
    kAlgorithmRefused,  ///< no key of this set checks the algorithm
  };

  KeySet();
  ~KeySet();
  KeySet(KeySet&&) noexcept;
  KeySet& operator=(KeySet&&) noexcept;

  /// For HS256, HS384 and HS512; not empty.
  Added add_secret(std::string_view secret);
  /// What a file holds: PEM (public keys and certificates, whose dates don't matter here), or a JWKS.
  Added add_file(std::string_view text);
  /// A JWKS, RFC 7517 section 5. Keys of unknown types, for encryption, for other algorithms and too weak ones are
  /// skipped, and so are secrets that come from a URL; an error when none is left.
  Added add_jwks(std::string_view text, Origin origin);

  /// Says that keys come from URLs. `as_of_ms`: monotonic time when the oldest of these documents was asked for, 0
  /// while one is missing; `complete`: none is.
  void set_fetched(uint64_t as_of_ms, bool complete);
  bool fetched() const { return fetched_; }
  bool complete() const { return complete_; }
  uint64_t as_of_ms() const { return as_of_ms_; }
  size_t size() const;

  /// Checks the signature of a JWS in its compact form, whose header says `alg` and `kid` (empty: none). A kid chooses
  /// the keys that have it, else those without one; a token without kid is tried with all keys of the type.
  Verdict verify(std::string_view jws, std::string_view alg, std::string_view kid) const;

 private:
  Added append(std::vector<Jwk> more);

  std::vector<Jwk> keys_;
  uint64_t as_of_ms_ = 0;
  bool fetched_ = false;
  bool complete_ = true;
};

/// Whether an entry of JwtSettings::keys is a URL; all others are files.
bool is_key_url(std::string_view entry);

/// Whether tokens with this algorithm can be checked at all.
bool is_algorithm(std::string_view name);

}  // namespace kilat::auth
