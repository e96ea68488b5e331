#include "auth/key_set.h"

#include <openssl/err.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "auth/jwk.h"

namespace kilat::auth {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

struct JwsFree {
  void operator()(cjose_jws_t* jws) const { cjose_jws_release(jws); }
};
using JwsPtr = std::unique_ptr<cjose_jws_t, JwsFree>;

// A token on its way through the keys. What OpenSSL notes about a signature that does not fit must not stay: the next
// TLS call of this thread would take it for its own.
class Check {
 public:
  explicit Check(std::string_view jws) {
    cjose_err error{};
    jws_.reset(cjose_jws_import(jws.data(), jws.size(), &error));
  }
  ~Check() { ERR_clear_error(); }
  Check(const Check&) = delete;
  Check& operator=(const Check&) = delete;

  bool fits(const Jwk& key) {
    if (!jws_) return false;
    cjose_err error{};
    return cjose_jws_verify(jws_.get(), key.key.get(), &error);
  }

 private:
  JwsPtr jws_;
};

// cjose halves a signature of ECDSA of any length; RFC 7518 section 3.4 has one length for each curve.
bool right_size(std::string_view jws, const Algorithm& algorithm) {
  if (algorithm.signature_bytes == 0) return true;
  const size_t dot = jws.rfind('.');
  const size_t letters = dot == std::string_view::npos ? 0 : jws.size() - dot - 1;
  return letters == (algorithm.signature_bytes * 8 + 5) / 6;
}

}  // namespace

KeySet::KeySet() = default;
KeySet::~KeySet() = default;
KeySet::KeySet(KeySet&&) noexcept = default;
KeySet& KeySet::operator=(KeySet&&) noexcept = default;

size_t KeySet::size() const {
  return keys_.size();
}

bool is_key_url(std::string_view entry) {
  return entry.starts_with("https://") || entry.starts_with("http://");
}

bool is_algorithm(std::string_view name) {
  return find_algorithm(name) != nullptr;
}

KeySet::Added KeySet::add_secret(std::string_view secret) {
  auto key = make_secret(secret);
  if (!key) return std::unexpected(std::move(key.error()));
  std::vector<Jwk> one;
  one.push_back(std::move(*key));
  return append(std::move(one));
}

KeySet::Added KeySet::add_file(std::string_view text) {
  if (text.find("-----BEGIN") == std::string_view::npos) return add_jwks(text, Origin::kFile);
  if (text.size() > kTextBytesMax) return std::unexpected("longer than 256 KiB");
  auto keys = read_pem(text);
  if (!keys) return std::unexpected(std::move(keys.error()));
  return append(std::move(*keys));
}

KeySet::Added KeySet::add_jwks(std::string_view text, Origin origin) {
  if (text.size() > kTextBytesMax) return std::unexpected("longer than 256 KiB");
  JsonParser parser;
  const auto root = parser.parse_copy(text);
  object document;
  array entries;
  if (!root || root->get(document) != simdjson::SUCCESS || document["keys"].get(entries) != simdjson::SUCCESS) {
    return std::unexpected(origin == Origin::kFile ? "neither PEM nor a JWKS" : "no JWKS");
  }
  if (has_twins(*root)) return std::unexpected("a JWKS with two members of one name");
  std::vector<Jwk> usable;
  std::string why = "no key in it";
  for (const element& entry : entries) {
    object members;
    if (entry.get(members) != simdjson::SUCCESS) return std::unexpected("a JWKS whose keys are no objects");
    auto key = read_jwk(members);
    if (key && key->type == KeyType::kSecret && origin == Origin::kUrl) key = std::unexpected("a secret in public");
    if (key) {
      usable.push_back(std::move(*key));
    } else {
      why = "only " + key.error();
    }
  }
  if (usable.empty()) return std::unexpected(std::move(why));
  return append(std::move(usable));
}

void KeySet::set_fetched(uint64_t as_of_ms, bool complete) {
  fetched_ = true;
  as_of_ms_ = as_of_ms;
  complete_ = complete;
}

KeySet::Added KeySet::append(std::vector<Jwk> more) {
  if (keys_.size() + more.size() > kKeysMax) {
    return std::unexpected("more than " + std::to_string(kKeysMax) + " keys in all");
  }
  std::ranges::move(more, std::back_inserter(keys_));
  return {};
}

KeySet::Verdict KeySet::verify(std::string_view jws, std::string_view alg, std::string_view kid) const {
  const Algorithm* algorithm = find_algorithm(alg);
  if (algorithm == nullptr) return Verdict::kAlgorithmRefused;
  const bool named = !kid.empty() && std::ranges::any_of(keys_, [&](const Jwk& key) { return key.kid == kid; });
  const bool any_name = kid.empty();
  const std::string_view wanted = named ? kid : std::string_view();
  // A URL may have, or get, a key that fits better; a secret never comes from one.
  const bool may_come = fetched_ && algorithm->type != KeyType::kSecret && !named && (!any_name || !complete_);

  const bool sized = right_size(jws, *algorithm);
  Check check(jws);
  bool tried = false;
  for (const Jwk& key : keys_) {
    if (key.type != algorithm->type || (!key.alg.empty() && key.alg != alg)) continue;
    if (!any_name && key.kid != wanted) continue;
    tried = true;
    if (sized && check.fits(key)) return Verdict::kGood;
  }
  if (may_come) return Verdict::kUnknownKey;
  if (tried) return Verdict::kForged;
  const bool type_known = std::ranges::any_of(keys_, [&](const Jwk& key) { return key.type == algorithm->type; });
  return !any_name && !named && type_known ? Verdict::kUnknownKey : Verdict::kAlgorithmRefused;
}

}  // namespace kilat::auth
