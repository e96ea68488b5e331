#include "auth/hmac.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <span>

#include "base/check.h"

namespace kilat::auth {
namespace {

constexpr size_t kBlock = 64;  // block size of SHA-256, RFC 2104 section 2

struct ContextFree {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, ContextFree>;

Context make_context() {
  Context context(EVP_MD_CTX_new());
  KILAT_CHECK(context != nullptr);
  return context;
}

// Fetched once per process and kept for its whole life: EVP_MD_fetch takes locks and walks the providers.
const EVP_MD* sha256() {
  static const EVP_MD* const kDigest = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return kDigest;
}

const EVP_MD* md5() {
  static const EVP_MD* const kDigest = EVP_MD_fetch(nullptr, "MD5", nullptr);
  return kDigest;
}

std::string to_hex(std::span<const unsigned char> bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out(bytes.size() * 2, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) {
    out[2 * i] = kHex[bytes[i] >> 4];
    out[2 * i + 1] = kHex[bytes[i] & 15];
  }
  return out;
}

Context hash_of_padded_key(std::span<const unsigned char> key, unsigned char pad) {
  std::array<unsigned char, kBlock> block{};
  block.fill(pad);
  for (size_t i = 0; i < key.size(); ++i) block[i] ^= key[i];
  Context context = make_context();
  KILAT_CHECK(EVP_DigestInit_ex2(context.get(), sha256(), nullptr) == 1);
  KILAT_CHECK(EVP_DigestUpdate(context.get(), block.data(), block.size()) == 1);
  OPENSSL_cleanse(block.data(), block.size());
  return context;
}

}  // namespace

struct HmacSha256::State {
  Context inner;
  Context outer;
  Context work;
};

HmacSha256::HmacSha256(std::string_view key) : state_(std::make_unique<State>()) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  std::span<const unsigned char> bytes(reinterpret_cast<const unsigned char*>(key.data()), key.size());
  if (key.size() > kBlock) {
    unsigned int size = 0;
    KILAT_CHECK(EVP_Digest(key.data(), key.size(), digest.data(), &size, sha256(), nullptr) == 1);
    bytes = std::span(digest.data(), size);
  }
  state_->inner = hash_of_padded_key(bytes, 0x36);
  state_->outer = hash_of_padded_key(bytes, 0x5c);
  state_->work = make_context();
  OPENSSL_cleanse(digest.data(), digest.size());
}

HmacSha256::~HmacSha256() = default;
HmacSha256::HmacSha256(HmacSha256&&) noexcept = default;
HmacSha256& HmacSha256::operator=(HmacSha256&&) noexcept = default;

std::string HmacSha256::hex(std::string_view message) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_MD_CTX* work = state_->work.get();
  KILAT_CHECK(EVP_MD_CTX_copy_ex(work, state_->inner.get()) == 1);
  KILAT_CHECK(EVP_DigestUpdate(work, message.data(), message.size()) == 1);
  KILAT_CHECK(EVP_DigestFinal_ex(work, digest.data(), &size) == 1);
  KILAT_CHECK(EVP_MD_CTX_copy_ex(work, state_->outer.get()) == 1);
  KILAT_CHECK(EVP_DigestUpdate(work, digest.data(), size) == 1);
  KILAT_CHECK(EVP_DigestFinal_ex(work, digest.data(), &size) == 1);
  return to_hex(std::span(digest.data(), size));
}

bool HmacSha256::verify(std::string_view message, std::string_view signature) {
  return equal_constant_time(hex(message), signature);
}

std::string hmac_sha256_hex(std::string_view key, std::string_view message) {
  return HmacSha256(key).hex(message);
}

std::string md5_hex(std::string_view data) {
  thread_local const Context kContext = make_context();
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  KILAT_CHECK(EVP_DigestInit_ex2(kContext.get(), md5(), nullptr) == 1);
  KILAT_CHECK(EVP_DigestUpdate(kContext.get(), data.data(), data.size()) == 1);
  KILAT_CHECK(EVP_DigestFinal_ex(kContext.get(), digest.data(), &size) == 1);
  return to_hex(std::span(digest.data(), size));
}

bool equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace kilat::auth
