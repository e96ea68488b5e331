// The header of a proxy: whole, byte by byte and cut in two, the outcome and what is left must be the same.
// Input: one byte that chooses the cut, then the stream.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/require.h"
#include "http/forwarded.h"
#include "net/proxy_protocol.h"

namespace {

using kilat::net::ProxyParser;
using kilat::testing::require;

std::string outcome(std::string_view bytes, size_t step, size_t first) {
  ProxyParser parser;
  auto status = ProxyParser::Status::kNeedMore;
  size_t taken = 0;
  for (size_t at = 0; at < bytes.size() && status == ProxyParser::Status::kNeedMore;) {
    const std::string_view piece = bytes.substr(at, at == 0 ? first : step);
    std::span<const char> in(piece);
    status = parser.feed(in);
    taken += piece.size() - in.size();
    at += piece.size();
    require(status != ProxyParser::Status::kNeedMore || in.empty());
  }
  require(taken <= ProxyParser::kV2Max);
  std::string out = std::to_string(static_cast<int>(status));
  if (status != ProxyParser::Status::kDone) return out;
  out += " " + std::to_string(taken) + (parser.tls() ? " tls " : " ");
  return out + (parser.source() ? parser.source()->text() : "-");
}

// Texts of clients reach these two as well.
void check_forwarded(std::string_view text) {
  kilat::NetworkList trusted;
  trusted.add("10.0.0.0/8");
  const size_t half = text.size() / 2;
  const auto x = kilat::http::read_x_forwarded(text.substr(0, half), text.substr(half), trusted);
  if (x.client) require(kilat::IpAddress::parse(x.client->text()) == x.client || !x.client->known());
  kilat::http::read_forwarded(text, trusted);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string whole = outcome(stream, stream.size(), stream.size());
  require(outcome(stream, 1, 1) == whole);
  require(outcome(stream, stream.size(), std::max<size_t>(1, data[0])) == whole);
  if (size < 2048) check_forwarded(stream);
  return 0;
}
