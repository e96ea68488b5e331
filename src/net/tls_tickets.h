// TicketKeys: the keys under which a server seals TLS session tickets (RFC 5077, RFC 8446 section 4.6.1), so that a
// client that comes back is spared the full handshake, on whichever shard it lands.
// Owner: one shard; every shard has its own copy and all hold the same keys, because each key is derived from the one
// before it and from nothing else: no lock and no message is needed for them to agree. A key that is two periods old
// is gone from memory, so a later break-in cannot open what was recorded before (RFC 8446 section 2.2 and appendix F).
// Bounds: two keys; a ticket is good for kPeriodMs to 2 * kPeriodMs.
#pragma once

#include <openssl/types.h>

#include <array>
#include <cstdint>

namespace kilat::net {

class TicketKeys {
 public:
  static constexpr uint64_t kPeriodMs = 12 * 3'600'000;
  using Secret = std::array<uint8_t, 32>;

  /// What all shards of a process begin with.
  static Secret random_secret();

  /// `origin_ms`: the monotonic time at which the first period began, the same for all shards.
  TicketKeys(const Secret& secret, uint64_t origin_ms);
  ~TicketKeys();
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;

  /// Moves on to the period of `now_ms`, monotonic.
  void advance(uint64_t now_ms);

  /// OpenSSL's callback (SSL_CTX_set_tlsext_ticket_key_evp_cb(3)) for a connection whose application data is a
  /// TicketKeys: 1 ready, 2 ready but the client wants a new ticket, 0 unknown key, -1 failure.
  static int callback(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                      int sealing);

 private:
  struct Key {
    std::array<uint8_t, 16> name{};
    std::array<uint8_t, 32> cipher{};
    std::array<uint8_t, 32> mac{};
  };
  static Key derive(const Secret& secret);
  static int start(const Key& key, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, bool sealing);
  void step();

  Secret secret_;
  uint64_t ends_ms_;
  Key current_;
  Key previous_;
  bool has_previous_ = false;
};

}  // namespace kilat::net
