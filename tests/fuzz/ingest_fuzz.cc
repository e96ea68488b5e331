// Arbitrary bodies of POST ingest: every one is refused by a row with an HTTP status, or gives readings whose events
// are valid JSON with the bytes that came. The first byte chooses how the body is read, rules and limits. Read as it
// comes, a body gives the same at every split.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/json_parser.h"
#include "fuzz/require.h"
#include "ingest/body.h"
#include "ingest/line_stream.h"
#include "store/ingest_record.h"

namespace {

using namespace kilat;
using kilat::testing::require;

void check_reading(const store::Reading& reading, std::string_view body, bool packed) {
  require(reading.sensor.size() <= ingest::BodyParser::kSensorBytesMax);
  require(packed || body.find(reading.data) != std::string_view::npos);
  require(reading.data.find(reading.value) != std::string_view::npos);
  const std::string literal = ingest::event_data(reading.unix_ms, reading.sensor, reading.data);
  JsonParser outer;
  const auto text = outer.parse_copy(literal);
  require(text.has_value() && text->is_string());
  const std::string json(text->get_string().value());
  JsonParser inner;
  const auto event = inner.parse_copy(json);
  require(event.has_value());
  const auto object = event->get_object();
  require(object["data"].is_object());
  require(object["channel"].is_string());
  require(json.find(reading.data) != std::string::npos);
}

/// What came of a body that was read as it comes.
struct Streamed {
  std::string readings;  ///< the bytes of all batches
  uint32_t count = 0;
  uint32_t pieces = 0;
  Reason error = Reason::kNone;
  std::string detail;
  bool whole = false;
  bool operator==(const Streamed&) const = default;
};

/// Fed so many bytes at a time.
Streamed stream(std::string_view body, size_t step, const hub::IngestSettings& settings,
                const ingest::BodyParser::Limits& limits, bool packed) {
  ingest::BodyParser parser;
  ingest::LineStream lines(parser, settings, limits, packed);
  Streamed out;
  for (bool more = true; more;) {
    const std::string_view part = body.substr(0, step);
    body.remove_prefix(part.size());
    lines.feed(part);
    more = !body.empty();
    if (!more) lines.end();
    for (;;) {
      auto piece = lines.next(1'795'289'633'000);
      if (!piece) {
        out.error = piece.error().reason;
        out.detail = piece.error().detail;
        return out;
      }
      if (!*piece) break;
      require(!out.whole);
      ++out.pieces;
      out.readings += (*piece)->readings.data;
      out.count += (*piece)->readings.count;
      out.whole = (*piece)->last;
    }
  }
  require(out.whole);
  return out;
}

void check_stream(std::string_view body, uint8_t choice, const hub::IngestSettings& settings,
                  const ingest::BodyParser::Limits& limits, bool packed) {
  const Streamed whole = stream(body, std::max<size_t>(body.size(), 1), settings, limits, packed);
  require(stream(body, 1 + choice % 61, settings, limits, packed) == whole);
  if (body.size() < 2'000) require(stream(body, 1, settings, limits, packed) == whole);
  const int status = reason_row(whole.error).http_status;
  require(whole.whole || status == 400 || status == 413 || status == 422);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const uint8_t choice = data[0];
  hub::IngestSettings settings;
  if ((choice & 1) != 0) settings.fields = {"channel text required", "value number", "timestamp time", "n integer"};
  if ((choice & 2) != 0) settings.sensor = settings.value = settings.time = "x";
  const bool packed = (choice & 4) != 0;
  const ingest::BodyParser::Limits limits{.unpacked_bytes_max = size_t{1} << 16,
                                          .reading_bytes_max = (choice & 8) != 0 ? 100U : 100'000U};
  std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
  body.append(64, '"');
  const std::string_view bytes = std::string_view(body).substr(0, size - 1);
  check_stream(bytes, choice, settings, limits, packed);
  ingest::BodyParser parser;
  const auto readings = parser.parse({.content_type = (choice & 16) != 0 ? "application/x-ndjson" : "application/json",
                                      .content_encoding = packed ? "gzip" : "",
                                      .bytes = bytes},
                                     settings, limits, 1'795'289'633'000);
  if (!readings) {
    const int status = reason_row(readings.error().reason).http_status;
    require(status == 400 || status == 413 || status == 422);
    return 0;
  }
  store::BatchReader batch(readings->data);
  uint32_t count = 0;
  while (const auto reading = batch.next()) {
    ++count;
    check_reading(*reading, bytes, packed);
  }
  require(count == readings->count && count > 0);
  return 0;
}
