// Keyed hashes of the Pusher protocol. The OpenSSL objects are fetched once, never per request.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace kilat::auth {

/// HMAC-SHA256 under one key, with the two key blocks hashed in advance. One shard, one object: not for two threads.
class HmacSha256 {
 public:
  explicit HmacSha256(std::string_view key);
  ~HmacSha256();
  HmacSha256(HmacSha256&&) noexcept;
  HmacSha256& operator=(HmacSha256&&) noexcept;

  /// Lower-case hex (64 characters) of the HMAC of `message`.
  std::string hex(std::string_view message);

  /// Whether `signature` is hex(message); takes the same time wherever they differ.
  bool verify(std::string_view message, std::string_view signature);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Lower-case hex of HMAC-SHA256(key, message). Convenience for the command line; any thread.
std::string hmac_sha256_hex(std::string_view key, std::string_view message);

/// Lower-case hex of MD5(data): `body_md5` of the HTTP API. Any thread.
std::string md5_hex(std::string_view data);

/// Compares in time that depends on the lengths only.
bool equal_constant_time(std::string_view a, std::string_view b);

}  // namespace kilat::auth
