// A byte stream of HTTP requests, whole and cut into pieces: the outcome must be the same. Then the helpers that see
// parts of it. Input: two bytes that choose limits and cuts, then the stream.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/require.h"
#include "http/cors.h"
#include "http/response.h"
#include "http/uri.h"
#include "unit/http/transcript.h"

namespace {

using namespace kilat::http;
using kilat::testing::require;

std::vector<size_t> random_cuts(uint32_t seed, size_t size) {
  std::vector<size_t> cuts;
  for (size_t at = 0; at < size;) {
    seed = seed * 1664525U + 1013904223U;
    at += 1 + (seed >> 24) % (1U << (1 + (seed >> 20) % 6));
    cuts.push_back(at);
  }
  return cuts;
}

void check_helpers(std::string_view text) {
  const Query query(text);
  require(query.items().size() <= kQueryItemsMax);
  require(split_path(text).size() <= kPathSegmentsMax);
  const size_t half = text.size() / 2;
  const std::vector<std::string> patterns{std::string(text.substr(0, half))};
  const CorsHeaders cors = cors_headers(patterns, {.options = true, .origin = text.substr(half)});
  std::string out;
  append_response(out, {.headers = {{"X", std::string(text)}, {std::string(text.substr(0, half)), "v"}}},
                  {.cors = cors});
  // One answer, one empty line, and it stands at the end.
  require(out.find("\r\n\r\n") == out.size() - 4);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 2, size - 2);
  const ParserLimits limits = (data[0] & 1) != 0 ? ParserLimits{.header_bytes_max = 128, .body_bytes_max = 16}
                                                 : ParserLimits{.header_bytes_max = 2048, .body_bytes_max = 4096};
  const std::string whole = transcript(stream, limits);
  require(whole.find("PADDING") == std::string::npos || stream.find("PADDING") != std::string_view::npos);
  require(transcript(stream, every(1, stream.size()), limits) == whole);
  require(transcript(stream, random_cuts(data[0] * 256U + data[1], stream.size()), limits) == whole);
  if (size < 512) check_helpers(stream);
  return 0;
}
