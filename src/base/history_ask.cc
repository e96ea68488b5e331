#include "base/history_ask.h"

#include <charconv>

#include "base/json_text.h"

namespace kilat {

std::string epoch_text(uint32_t epoch) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text(8, '0');
  for (size_t i = text.size(); i-- > 0; epoch >>= 4) text[i] = kDigits[epoch & 15];
  return text;
}

uint32_t parse_epoch(std::string_view text) {
  uint32_t epoch = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, epoch, 16);
  return error == std::errc() && stop == end && epoch_text(epoch) == text ? epoch : 0;
}

void append_position(std::string& json, Position position) {
  if (position.epoch == 0) {
    json += "null";
    return;
  }
  json += R"({"epoch":")" + epoch_text(position.epoch) + R"(","offset":)";
  append_json_number(json, position.offset);
  json += '}';
}

void append_history(std::string& json, Position position, bool asked, std::string_view refused) {
  if (position.epoch != 0) {
    if (json.back() != '{') json += ',';
    json += R"("position":)";
    append_position(json, position);
  }
  if (!asked) return;
  if (json.back() != '{') json += ',';
  if (refused.empty()) {
    json += R"("recovered":true)";
    return;
  }
  json += R"("recovered":false,"reason":")";
  json += refused;
  json += '"';
}

}  // namespace kilat
