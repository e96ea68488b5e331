// permessage-deflate from three sides: any bytes inflated under a limit, any message there and back, any offer
// negotiated. The first byte chooses options.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/require.h"
#include "ws/deflate.h"

namespace {

using namespace kilat;
using namespace kilat::ws;
using kilat::testing::require;

void inflate_anything(std::string_view bytes, bool takeover, uint32_t bytes_max) {
  Inflater inflater(15, takeover);
  for (int i = 0; i < 2; ++i) {
    Buffer out;
    const Reason reason = inflater.inflate(bytes, bytes_max, out);
    require(out.size() <= bytes_max && out.capacity() <= bytes_max);
    require(reason == Reason::kNone || reason == Reason::kWsDeflateInvalid || reason == Reason::kWsInflatedTooBig);
    if (reason != Reason::kNone) return;
  }
}

void there_and_back(std::string_view message, bool takeover, uint8_t window_bits) {
  Deflater deflater({.window_bits = window_bits, .mem_level = 4, .takeover = takeover});
  Inflater inflater(window_bits, takeover);
  for (int i = 0; i < 2; ++i) {
    std::string compressed;
    require(deflater.deflate(message, compressed));
    Buffer out;
    require(inflater.inflate(compressed, static_cast<uint32_t>(message.size()), out) == Reason::kNone);
    require(std::ranges::equal(out.view(), message));
  }
}

void negotiate(std::string_view offers, const DeflateConfig& config) {
  std::string response;
  const auto params = negotiate_deflate(offers, config, response);
  require(params.has_value() == response.starts_with("permessage-deflate"));
  if (!params) return;
  require(params->server_max_window_bits >= 9 && params->server_max_window_bits <= 15);
  require(params->client_max_window_bits >= 8 && params->client_max_window_bits <= 15);
  // The answer repeats nothing of the offer but numbers, and is itself an offer that this server takes.
  require(std::ranges::all_of(response, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view(" -_;=").find(c) != std::string_view::npos;
  }));
  std::string again;
  require(negotiate_deflate(response, config, again).has_value() && again == response);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const bool takeover = (data[0] & 1) != 0;
  const auto window_bits = static_cast<uint8_t>(9 + (data[0] >> 1) % 7);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  inflate_anything(bytes, takeover, (data[0] & 0x80) != 0 ? 100 : 50'000);
  there_and_back(bytes, takeover, window_bits);
  negotiate(bytes, {.server_context_takeover = takeover, .server_max_window_bits = window_bits});
  return 0;
}
