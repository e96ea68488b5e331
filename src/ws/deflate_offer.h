// Negotiating permessage-deflate, server side (RFC 7692 sections 5 and 7.1; list grammar of RFC 6455 section 9.1).
// Pure; any thread. Cost is linear in the header, whose size the HTTP parser bounds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kilat::ws {

inline constexpr uint8_t kWindowBitsMin = 8;   ///< what the RFC allows
inline constexpr uint8_t kWindowBitsMax = 15;  ///< 32 KiB, the default
/// The least window that zlib can compress raw deflate with (it cannot do 8).
inline constexpr uint8_t kDeflateWindowBitsMin = 9;

/// What both sides agreed on.
struct DeflateParams {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  uint8_t server_max_window_bits = kWindowBitsMax;  ///< 9..15: the server compresses with no more than this
  uint8_t client_max_window_bits = kWindowBitsMax;  ///< 8..15: enough for inflating what the client sends
};

/// What this server is willing to do. Window bits 9..15.
struct DeflateConfig {
  bool server_context_takeover = false;  ///< a compressor and its history for each connection
  bool client_context_takeover = false;  ///< an inflater and its history for each connection
  uint8_t server_max_window_bits = kWindowBitsMax;
  /// An offer that asks for a smaller server window is declined. Where one compressed frame serves all readers, this is
  /// the window of that compressor.
  uint8_t server_min_window_bits = kDeflateWindowBitsMin;
  uint8_t client_max_window_bits = kWindowBitsMax;  ///< wished for; clients that did not offer it use 15
};

/// Chooses the first acceptable offer of a Sec-WebSocket-Extensions value (several lines joined by commas). Sets
/// `response` to the value of the answer's header. Nothing, and an empty response, when no offer is acceptable: an
/// unknown, doubled or wrong parameter declines its offer alone; a value that breaks the list grammar declines all.
std::optional<DeflateParams> negotiate_deflate(std::string_view offers, const DeflateConfig& config,
                                               std::string& response);

}  // namespace kilat::ws
