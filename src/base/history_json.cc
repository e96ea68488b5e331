#include "base/history_json.h"

#include <algorithm>

namespace kilat {
namespace {

namespace dom = simdjson::dom;

uint64_t number_member(const dom::object& object, std::string_view key) {
  uint64_t number = 0;
  return object[key].get(number) == simdjson::SUCCESS ? number : 0;
}

}  // namespace

std::optional<HistoryAsk> read_history_ask(const dom::object& said) {
  std::optional<HistoryAsk> ask;
  dom::object object;
  bool wanted = false;
  if (said["recover"].get(object) == simdjson::SUCCESS) {
    ask.emplace();
    ask->recover = true;
    ask->since = {parse_epoch(string_member(object, "epoch").value_or("")), number_member(object, "offset")};
  } else if (said["recover"].get(wanted) == simdjson::SUCCESS && wanted) {
    ask.emplace();
  }
  if (said["rewind"].get(object) == simdjson::SUCCESS) {
    if (!ask) ask.emplace();
    ask->rewind = number_member(object, "count");
    constexpr uint64_t kSecondsMax = uint64_t{365} * 86'400;
    ask->rewind_ms = std::min(number_member(object, "seconds"), kSecondsMax) * 1000;
  }
  return ask;
}

}  // namespace kilat
