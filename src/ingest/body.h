// BodyParser: the body of POST /apps/ID/ingest: one reading, an array of them, or one a line (NDJSON), packed with gzip
// or not. All or nothing: a body with a reading that does not fit gives an error that says where.
// Owner: one shard; its memory is reused. Bounds: Limits, store::ReadingBatch::kReadingsMax readings, kSensorBytesMax.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hub/field_rule.h"
#include "hub/ingest_settings.h"
#include "store/ingest_record.h"

namespace kilat::ingest {

struct Readings {
  std::string data;  ///< of a store::ReadingBatch
  uint32_t count = 0;
};

enum class Packing : uint8_t { kNone, kGzip, kUnknown };
Packing packing_of(std::string_view content_encoding);
/// Whether it is one of the types of NDJSON.
bool is_lines(std::string_view content_type);

class BodyParser {
 public:
  static constexpr size_t kSensorBytesMax = 200;
  /// How far the time of a reading may be ahead: what is further would be its sensor's last one for ever, and never go.
  static constexpr uint64_t kAheadMsMax = 86'400'000;

  struct Body {
    std::string_view content_type;
    std::string_view content_encoding;
    std::string_view bytes;  ///< 64 readable bytes follow it
  };
  struct Limits {
    size_t unpacked_bytes_max = 0;
    size_t reading_bytes_max = 0;  ///< so that its event is not too large
  };

  BodyParser();
  ~BodyParser();
  BodyParser(const BodyParser&) = delete;
  BodyParser& operator=(const BodyParser&) = delete;

  /// `now_unix_ms`: the time of readings that have none, and what others must not be far ahead of. Errors:
  /// kIngestEncodingUnknown, kHttpBodyTooLarge, kIngestBodyInvalid, kIngestReadingInvalid, kApiDataTooBig.
  Result<Readings> parse(const Body& body, const hub::IngestSettings& settings, const Limits& limits,
                         uint64_t now_unix_ms);

  /// The same for one line of NDJSON, `number` of its body; 64 readable bytes follow it. A blank one is nothing.
  Result<void> parse_line(std::string_view line, uint64_t number, const hub::IngestSettings& settings,
                          const Limits& limits, uint64_t now_unix_ms, store::ReadingBatch& batch);

 private:
  void read_rules(const hub::IngestSettings& settings);

  class Run;
  struct Parser;

  std::unique_ptr<Parser> parser_;
  std::vector<std::string> texts_;  ///< that rules_ were made of
  std::vector<hub::FieldRule> rules_;
};

/// The data of the event that a reading becomes: {"data":READING,"timestamp":ISO 8601,"channel":SENSOR} as the JSON
/// string literal in which Pusher's clients expect it. The reading stays as it came, byte for byte.
std::string event_data(uint64_t unix_ms, std::string_view sensor, std::string_view reading);

}  // namespace kilat::ingest
