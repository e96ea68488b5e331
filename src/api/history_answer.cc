#include "api/history_answer.h"

#include <string>
#include <utility>

#include "api/answer.h"
#include "base/json_text.h"
#include "base/quantity.h"

namespace kilat::api {
namespace {

// Whether the parameter is absent or a number; then `number` is that.
bool read_number(const http::Query& query, std::string_view name, uint64_t& number) {
  const auto text = query.get(name);
  if (!text) return true;
  const auto found = parse_whole(*text);
  if (found) number = *found;
  return found.has_value();
}

void append_event(std::string& json, const hub::PastEvent& past) {
  const hub::Publication& event = *past.publication;
  json += R"({"offset":)";
  append_json_number(json, event.number());
  json += R"(,"time":)";
  append_json_number(json, past.unix_ms);
  json += R"(,"event":)";
  append_json_string(json, event.event());
  json += R"(,"data":)";
  json += event.data();
  if (!event.user_id().empty()) {
    json += R"(,"user_id":)";
    append_json_string(json, event.user_id());
  }
  json += '}';
}

}  // namespace

Result<hub::HistoryRange> parse_range(const http::Query& query) {
  hub::HistoryRange range;
  uint64_t limit = range.limit;
  const std::pair<std::string_view, uint64_t*> numbers[] = {{"after", &range.after},
                                                            {"before", &range.before},
                                                            {"from", &range.from_unix_ms},
                                                            {"to", &range.to_unix_ms},
                                                            {"limit", &limit}};
  for (const auto& [name, number] : numbers) {
    if (!read_number(query, name, *number)) return fail(Reason::kApiParameterInvalid, std::string(name));
  }
  if (limit < 1 || limit > kHistoryLimitMax) return fail(Reason::kApiParameterInvalid, "limit: 1 to 1000");
  range.limit = static_cast<uint32_t>(limit);
  const std::string_view order = query.get("order").value_or("oldest");
  if (order != "oldest" && order != "newest") return fail(Reason::kApiParameterInvalid, "order: oldest or newest");
  range.backwards = order == "newest";
  if (const auto epoch = query.get("epoch")) {
    range.epoch = parse_epoch(*epoch);
    range.epoch_asked = true;
  }
  return range;
}

http::Response history_answer(const hub::Query& query, bool off, const hub::HistoryPage& page) {
  if (off) return refusal(Reason::kHistoryOff);
  if (query.range.epoch_asked && query.range.epoch != page.position.epoch) return refusal(Reason::kHistoryEpoch);
  std::string json = R"({"epoch":)";
  json += page.position.epoch == 0 ? "null" : '"' + epoch_text(page.position.epoch) + '"';
  json += R"(,"offset":)";
  append_json_number(json, page.position.offset);
  json += R"(,"oldest":)";
  append_json_number(json, page.oldest);
  json += R"(,"events":[)";
  for (const hub::PastEvent& past : page.events) {
    if (json.back() != '[') json += ',';
    append_event(json, past);
  }
  json += R"(],"more":)";
  json += page.more ? "true}" : "false}";
  return ok(std::move(json));
}

}  // namespace kilat::api
