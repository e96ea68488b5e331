#include "ingest/body.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/json_parser.h"
#include "base/json_raw.h"
#include "base/json_text.h"
#include "base/words.h"
#include "flow/event_time.h"
#include "http/request.h"
#include "http/text.h"
#include "ingest/gzip.h"
#include "store/ingest_record.h"

namespace kilat::ingest {
namespace {

namespace dom = simdjson::dom;

/// What stands around a reading in its event, but for the sensor's name.
constexpr size_t kEventFrame = 64;

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

bool is_number(dom::element value) {
  return value.is_number();
}

std::optional<uint64_t> time_of(const RawMember& member) {
  std::string_view text;
  if (member.value.get(text) == simdjson::SUCCESS) return flow::read_iso_time(text);
  return is_number(member.value) ? flow::read_unix_time(member.raw) : std::nullopt;
}

bool fits(const RawMember& member, hub::FieldType type) {
  switch (type) {
    case hub::FieldType::kAny: return true;
    case hub::FieldType::kText: return member.value.is_string();
    case hub::FieldType::kNumber: return is_number(member.value);
    case hub::FieldType::kInteger:
      return is_number(member.value) && member.raw.find_first_of(".eE") == std::string_view::npos;
    case hub::FieldType::kBool: return member.value.is_bool();
    case hub::FieldType::kTime: return time_of(member).has_value();
    case hub::FieldType::kObject: return member.value.is_object();
    case hub::FieldType::kArray: return member.value.is_array();
  }
  return false;
}

std::string must_be(std::string_view name, hub::FieldType type) {
  std::string_view what = hub::name_of(type);
  if (type == hub::FieldType::kTime) what = "time (ISO 8601, or seconds or milliseconds since 1970)";
  const bool vowel = std::string_view("aeio").find(what.front()) != std::string_view::npos;
  return std::string(name) + (vowel ? " must be an " : " must be a ") + std::string(what);
}

// A member that is there and not null, which says as much as a member that is missing.
std::optional<RawMember> member_of(const dom::object& object, std::string_view raw, std::string_view name) {
  std::optional<RawMember> member = find_raw(object, raw, name);
  if (member && member->value.is_null()) member.reset();
  return member;
}

}  // namespace

bool is_lines(std::string_view content_type) {
  content_type = trimmed(content_type.substr(0, content_type.find(';')));
  constexpr std::string_view kTypes[] = {"application/x-ndjson", "application/ndjson", "application/jsonl",
                                         "application/json-lines", "application/x-jsonlines"};
  return std::ranges::any_of(kTypes, [&](std::string_view type) { return http::iequals(content_type, type); });
}

Packing packing_of(std::string_view content_encoding) {
  const std::string_view encoding = trimmed(content_encoding);
  if (http::iequals(encoding, "gzip") || http::iequals(encoding, "x-gzip")) return Packing::kGzip;
  return encoding.empty() || http::iequals(encoding, "identity") ? Packing::kNone : Packing::kUnknown;
}

struct BodyParser::Parser {
  JsonParser json;
};

/// One body, or one line, on its way into a batch.
class BodyParser::Run {
 public:
  Run(BodyParser& parser, const hub::IngestSettings& settings, const Limits& limits, uint64_t now_unix_ms,
      store::ReadingBatch& batch)
      : json_(parser.parser_->json),
        rules_(parser.rules_),
        settings_(settings),
        limits_(limits),
        now_(now_unix_ms),
        batch_(batch) {}

  Result<Readings> lines(std::string_view bytes) {
    for (size_t number = 1; !bytes.empty(); ++number) {
      const std::string_view text = bytes.substr(0, bytes.find('\n'));
      bytes.remove_prefix(std::min(text.size() + 1, bytes.size()));
      TRY_VOID(line(text, number));
    }
    return finish();
  }

  Result<void> line(std::string_view text, uint64_t number) {
    if (is_blank(text)) return {};
    const std::string where = "line " + std::to_string(number);
    const std::optional<dom::element> root = json_.parse(text);
    if (!root) return fail(Reason::kIngestBodyInvalid, where + " is not JSON");
    return take(*root, trimmed_json(text), where);
  }

  Result<Readings> document(std::string_view bytes) {
    const std::optional<dom::element> root = json_.parse(bytes);
    if (!root) {
      return fail(Reason::kIngestBodyInvalid,
                  "not JSON; for one reading a line, Content-Type must be application/x-ndjson");
    }
    dom::array list;
    if (root->get(list) != simdjson::SUCCESS) {
      TRY_VOID(take(*root, trimmed_json(bytes), {}));
      return finish();
    }
    const std::vector<std::string_view> raw = raw_elements(trimmed_json(bytes));
    size_t index = 0;
    for (const dom::element element : list) {
      if (index >= raw.size()) break;
      TRY_VOID(take(element, raw[index], "reading " + std::to_string(index + 1)));
      ++index;
    }
    return finish();
  }

 private:
  static std::string_view trimmed_json(std::string_view text) {
    const size_t begin = std::min(text.find_first_not_of(" \t\r\n"), text.size());
    return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
  }

  static std::unexpected<Error> refuse(Reason reason, const std::string& where, std::string why) {
    return fail(reason, where.empty() ? std::move(why) : where + ": " + why);
  }

  Result<void> take(dom::element element, std::string_view raw, const std::string& where) {
    dom::object object;
    if (element.get(object) != simdjson::SUCCESS) {
      return refuse(Reason::kIngestBodyInvalid, where, "a reading must be an object");
    }
    for (const hub::FieldRule& rule : rules_) {
      const std::optional<RawMember> member = member_of(object, raw, rule.name);
      if (!member && rule.required) return refuse(Reason::kIngestReadingInvalid, where, rule.name + " is missing");
      if (member && !fits(*member, rule.type)) {
        return refuse(Reason::kIngestReadingInvalid, where, must_be(rule.name, rule.type));
      }
    }
    store::Reading reading{.unix_ms = now_, .sensor = {}, .value = {}, .data = raw};
    if (const auto member = member_of(object, raw, settings_.sensor)) {
      const bool text = member->value.get(reading.sensor) == simdjson::SUCCESS;
      if (!text && is_number(member->value)) reading.sensor = member->raw;
      if ((!text && reading.sensor.empty()) || reading.sensor.size() > kSensorBytesMax) {
        return refuse(Reason::kIngestReadingInvalid, where,
                      settings_.sensor + " must be a text of at most 200 bytes, or a number");
      }
    }
    if (const auto member = member_of(object, raw, settings_.value); member && is_number(member->value)) {
      reading.value = member->raw;
    }
    if (const auto member = member_of(object, raw, settings_.time)) {
      const std::optional<uint64_t> time = time_of(*member);
      if (!time) return refuse(Reason::kIngestReadingInvalid, where, must_be(settings_.time, hub::FieldType::kTime));
      if (*time > now_ + BodyParser::kAheadMsMax) {
        return refuse(Reason::kIngestReadingInvalid, where,
                      settings_.time + " is more than a day ahead of the server's clock");
      }
      reading.unix_ms = *time;
    }
    if (raw.size() + reading.sensor.size() + kEventFrame > limits_.reading_bytes_max) {
      return refuse(Reason::kApiDataTooBig, where, "app.event_bytes_max");
    }
    if (batch_.count() >= store::ReadingBatch::kReadingsMax) {
      return refuse(Reason::kIngestBodyInvalid, where, "more than 1000000 readings");
    }
    batch_.append(reading);
    return {};
  }

  Result<Readings> finish() {
    const uint32_t count = batch_.count();
    if (count == 0) return fail(Reason::kIngestBodyInvalid, "it is empty");
    return Readings{batch_.take(), count};
  }

  JsonParser& json_;
  const std::vector<hub::FieldRule>& rules_;
  const hub::IngestSettings& settings_;
  const Limits& limits_;
  const uint64_t now_;
  store::ReadingBatch& batch_;
};

BodyParser::BodyParser() : parser_(std::make_unique<Parser>()) {}
BodyParser::~BodyParser() = default;

void BodyParser::read_rules(const hub::IngestSettings& settings) {
  if (texts_ == settings.fields) return;
  rules_.clear();
  for (const std::string& text : settings.fields) {
    if (auto rule = hub::FieldRule::parse(text)) rules_.push_back(std::move(*rule));
  }
  texts_ = settings.fields;
}

Result<Readings> BodyParser::parse(const Body& body, const hub::IngestSettings& settings, const Limits& limits,
                                   uint64_t now_unix_ms) {
  read_rules(settings);
  std::string unpacked;
  std::string_view bytes = body.bytes;
  const Packing packing = packing_of(body.content_encoding);
  if (packing == Packing::kUnknown) return fail(Reason::kIngestEncodingUnknown);
  if (packing == Packing::kGzip) {
    TRY(unpacked, gunzip(bytes, limits.unpacked_bytes_max));
    const size_t size = unpacked.size();
    unpacked.append(http::kBodyPadding, '\0');
    bytes = std::string_view(unpacked).substr(0, size);
  }
  if (is_blank(bytes)) return fail(Reason::kIngestBodyInvalid, "it is empty");
  store::ReadingBatch batch;
  Run run(*this, settings, limits, now_unix_ms, batch);
  return is_lines(body.content_type) ? run.lines(bytes) : run.document(bytes);
}

Result<void> BodyParser::parse_line(std::string_view line, uint64_t number, const hub::IngestSettings& settings,
                                    const Limits& limits, uint64_t now_unix_ms, store::ReadingBatch& batch) {
  read_rules(settings);
  return Run(*this, settings, limits, now_unix_ms, batch).line(line, number);
}

std::string event_data(uint64_t unix_ms, std::string_view sensor, std::string_view reading) {
  std::string json = R"({"data":)";
  json.reserve(reading.size() + sensor.size() + kEventFrame);
  json += reading;
  json += R"(,"timestamp":")";
  flow::append_iso_time(json, unix_ms);
  json += R"(","channel":)";
  append_json_string(json, sensor);
  json += '}';
  return json_string(json);
}

}  // namespace kilat::ingest
