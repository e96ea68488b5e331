#include "ingest/range_query.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>

#include "base/quantity.h"
#include "flow/event_time.h"

namespace kilat::ingest {
namespace {

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// As times inside of readings are read; what comes after the year 5138 in milliseconds is what comes from such an
// answer.
Result<void> read_time(const http::Query& query, std::string_view name, uint64_t& unix_ms) {
  const auto text = query.get(name);
  if (!text) return {};
  const std::optional<uint64_t> time = is_digits(*text) ? flow::read_unix_time(*text) : flow::read_iso_time(*text);
  if (!time) return fail(Reason::kApiParameterInvalid, std::string(name));
  unix_ms = *time;
  return {};
}

Result<void> read_place(const http::Query& query, RangeQuery& out) {
  const auto text = query.get("after");
  if (!text) return {};
  const size_t dash = text->find('-');
  const auto unix_ms = parse_whole(text->substr(0, dash));
  const auto sequence = dash == std::string_view::npos ? std::nullopt : parse_whole<int64_t>(text->substr(dash + 1));
  if (out.step_ms != 0 || !unix_ms || !sequence ||
      *unix_ms > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return fail(Reason::kApiParameterInvalid, "after");
  }
  out.range.after = {.unix_ms = *unix_ms, .sequence = *sequence};
  return {};
}

}  // namespace

Result<uint32_t> parse_limit(const http::Query& query, uint32_t usual, uint32_t max) {
  const auto text = query.get("limit");
  if (!text) return usual;
  const auto limit = parse_whole<uint32_t>(*text);
  if (!limit || *limit < 1 || *limit > max) {
    return fail(Reason::kApiParameterInvalid, "limit: 1 to " + std::to_string(max));
  }
  return *limit;
}

Result<RangeQuery> parse_range(const http::Query& query) {
  RangeQuery out;
  const auto sensor = query.get("sensor");
  if (!sensor) return fail(Reason::kApiParameterInvalid, "sensor");
  out.range.sensor = *sensor;
  TRY_VOID(read_time(query, "from", out.range.from_ms));
  TRY_VOID(read_time(query, "to", out.range.to_ms));
  if (const auto step = query.get("step")) {
    const std::optional<uint64_t> plain_ms = parse_whole(*step);
    const std::optional<uint64_t> ms = plain_ms ? plain_ms : parse_duration_ms(*step);
    if (!ms) return fail(Reason::kApiParameterInvalid, "step: such as 10s or 1m");
    out.step_ms = *ms;
    constexpr uint64_t kStepMax = uint64_t{366} * 86'400'000;
    if (out.step_ms < 1 || out.step_ms > kStepMax) return fail(Reason::kApiParameterInvalid, "step: 1ms to 366d");
  }
  TRY(out.limit, parse_limit(query, out.limit, kReadingsLimitMax));
  const std::string_view order = query.get("order").value_or("oldest");
  if (order != "oldest" && order != "newest") return fail(Reason::kApiParameterInvalid, "order: oldest or newest");
  out.range.backwards = order == "newest";
  if (out.range.backwards && out.step_ms != 0) {
    return fail(Reason::kApiParameterInvalid, "order: steps come oldest first");
  }
  TRY_VOID(read_place(query, out));
  return out;
}

}  // namespace kilat::ingest
