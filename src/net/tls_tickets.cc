#include "net/tls_tickets.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <string_view>

#include "base/check.h"

namespace kilat::net {
namespace {

// One output of a key derivation: HMAC-SHA256 under `secret` of a label (RFC 5869 section 2.3 with one block).
TicketKeys::Secret expand(const TicketKeys::Secret& secret, std::string_view label) {
  TicketKeys::Secret out;
  unsigned size = 0;
  const auto* text = reinterpret_cast<const unsigned char*>(label.data());
  KILAT_CHECK(HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), text, label.size(), out.data(),
                   &size) != nullptr);
  return out;
}

template <typename Array>
void wipe(Array& bytes) {
  OPENSSL_cleanse(bytes.data(), bytes.size());
}

}  // namespace

TicketKeys::Secret TicketKeys::random_secret() {
  Secret out;
  KILAT_CHECK(RAND_bytes(out.data(), static_cast<int>(out.size())) == 1);
  return out;
}

TicketKeys::TicketKeys(const Secret& secret, uint64_t origin_ms)
    : secret_(secret), ends_ms_(origin_ms + kPeriodMs), current_(derive(secret)) {}

TicketKeys::~TicketKeys() {
  wipe(secret_);
  for (Key* key : {&current_, &previous_}) {
    wipe(key->cipher);
    wipe(key->mac);
  }
}

TicketKeys::Key TicketKeys::derive(const Secret& secret) {
  Key key;
  key.cipher = expand(secret, "cipher");
  key.mac = expand(secret, "mac");
  std::ranges::copy_n(expand(secret, "name").begin(), static_cast<std::ptrdiff_t>(key.name.size()), key.name.begin());
  return key;
}

void TicketKeys::step() {
  secret_ = expand(secret_, "next");
  wipe(previous_.cipher);
  wipe(previous_.mac);
  previous_ = current_;
  has_previous_ = true;
  current_ = derive(secret_);
  ends_ms_ += kPeriodMs;
}

void TicketKeys::advance(uint64_t now_ms) {
  while (now_ms >= ends_ms_) step();
}

int TicketKeys::start(const Key& key, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, bool sealing) {
  char digest[] = "sha256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, const_cast<uint8_t*>(key.mac.data()), key.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  if (EVP_MAC_CTX_set_params(mac, parameters) != 1) return -1;
  const int ready = EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv, sealing ? 1 : 0);
  return ready == 1 ? 1 : -1;
}

int TicketKeys::callback(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                         int sealing) {
  const auto* keys = static_cast<const TicketKeys*>(SSL_get_app_data(ssl));
  if (keys == nullptr) return 0;
  if (sealing == 1) {
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
    std::ranges::copy(keys->current_.name, name);
    return start(keys->current_, iv, cipher, mac, true);
  }
  const auto is = [name](const Key& key) { return std::equal(key.name.begin(), key.name.end(), name); };
  const bool fresh = is(keys->current_);
  if (!fresh && (!keys->has_previous_ || !is(keys->previous_))) return 0;
  if (start(fresh ? keys->current_ : keys->previous_, iv, cipher, mac, false) != 1) return -1;
  // TLS 1.3 wants a ticket used once only (RFC 8446 appendix C.4), so its client gets a new one each time.
  return fresh && SSL_version(ssl) != TLS1_3_VERSION ? 1 : 2;
}

}  // namespace kilat::net
