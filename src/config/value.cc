#include "config/value.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/json_text.h"
#include "base/quantity.h"
#include "base/utf8_repair.h"
#include "base/words.h"
#include "http/uri.h"

namespace kilat::config {
namespace {

// A number of the row's own unit, or a text with a unit.
std::optional<uint64_t> parse_number(const Row& row, std::string_view text) {
  if (row.unit == Unit::kBytes) return parse_size(text);
  if (const auto number = parse_whole(text)) return number;
  if (row.unit != Unit::kMilliseconds && row.unit != Unit::kSeconds) return std::nullopt;
  const auto ms = parse_duration_ms(text);
  if (!ms || row.unit == Unit::kMilliseconds) return ms;
  return *ms % 1000 == 0 ? std::optional(*ms / 1000) : std::nullopt;
}

std::string check_number(const Row& row, uint64_t number) {
  if (number < row.min)
    return "is " + format_number(row, number) + "; the smallest allowed is " + format_number(row, row.min);
  if (number > row.max)
    return "is " + format_number(row, number) + "; the largest allowed is " + format_number(row, row.max);
  return {};
}

std::string check_text(const Row& row, std::string& text) {
  if (row.type == Type::kChoice) {
    if (std::ranges::find(row.choices, text) != row.choices.end()) return {};
    return "must be " + expected_form(row);
  }
  if (text.size() < row.min) return row.min == 1 ? "is empty" : "is shorter than " + std::to_string(row.min) + " bytes";
  if (text.size() > row.max) return "is longer than " + std::to_string(row.max) + " bytes";
  return row.rule == nullptr ? std::string{} : row.rule(text);
}

std::vector<std::string> parse_list(std::string_view text) {
  std::vector<std::string> entries;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    if (const std::string_view entry = trimmed(text.substr(0, comma)); !entry.empty()) entries.emplace_back(entry);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return entries;
}

std::string text_value(const Row& row, const std::string& text) {
  return json_string(repair_utf8(row.urls && text.contains("://") ? http::shown_url(text) : text));
}

}  // namespace

std::string format_number(const Row& row, uint64_t number) {
  switch (row.unit) {
    case Unit::kBytes: return format_size(number);
    case Unit::kMilliseconds: return format_duration_ms(number);
    case Unit::kSeconds:
      // A refused value may be as large as it likes.
      return number > UINT64_MAX / 1000 ? std::to_string(number) : format_duration_ms(number * 1000);
    case Unit::kNone:
    case Unit::kPerSecond: break;
  }
  return std::to_string(number);
}

std::expected<Value, std::string> parse_text(const Row& row, std::string_view raw) {
  using Parsed = std::expected<Value, std::string>;
  const std::string_view text = row.type == Type::kSecret ? raw : trimmed(raw);
  switch (row.type) {
    case Type::kBool:
      if (text == "true" || text == "1" || text == "on" || text == "yes") return Parsed(std::in_place, true);
      if (text == "false" || text == "0" || text == "off" || text == "no") return Parsed(std::in_place, false);
      break;
    case Type::kInteger:
      if (const auto number = parse_number(row, text)) return Parsed(std::in_place, *number);
      break;
    case Type::kTextList: return Parsed(std::in_place, parse_list(text));
    case Type::kText:
    case Type::kId:
    case Type::kSecret:
    case Type::kChoice: return Parsed(std::in_place, std::string(text));
  }
  return std::unexpected("must be " + expected_form(row) + ", not " + json_string(repair_utf8(cut_utf8(text, 64))));
}

std::string check_value(const Row& row, Value& value) {
  if (const auto* number = std::get_if<uint64_t>(&value)) return check_number(row, *number);
  if (auto* text = std::get_if<std::string>(&value)) return check_text(row, *text);
  if (auto* list = std::get_if<std::vector<std::string>>(&value)) {
    if (list->size() > row.max) return "has more than " + std::to_string(row.max) + " entries";
    if (std::ranges::any_of(*list, [](const auto& entry) { return entry.empty(); })) return "has an empty entry";
    for (std::string& entry : *list) {
      if (std::string wrong = row.rule == nullptr ? std::string{} : row.rule(entry); !wrong.empty()) return wrong;
    }
  }
  return {};
}

std::string format_value(const Row& row, const Value& value) {
  if (row.type == Type::kSecret) return "\"…\"";
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<uint64_t>(&value)) {
    const std::string text = format_number(row, *number);
    const bool has_unit = text.back() < '0' || text.back() > '9';
    return has_unit ? json_string(text) : text;
  }
  if (const auto* text = std::get_if<std::string>(&value)) {
    const bool digits = row.type == Type::kChoice && !text->empty() && text->front() >= '0' && text->front() <= '9';
    return digits ? *text : text_value(row, *text);
  }
  std::string out = "[";
  for (const std::string& entry : std::get<std::vector<std::string>>(value)) {
    if (out.size() > 1) out += ", ";
    out += text_value(row, entry);
  }
  return out + "]";
}

std::string plain_value(const Row& row, const Value& value) {
  if (row.type == Type::kSecret) return "…";
  std::string text = format_value(row, value);
  const bool quoted = text.size() > 2 && text.front() == '"' && text.back() == '"';
  if (!quoted || text.find_first_of(" ,\\") != std::string::npos) return text;
  return text.substr(1, text.size() - 2);
}

std::string expected_form(const Row& row) {
  switch (row.type) {
    case Type::kBool: return "true or false";
    case Type::kInteger:
      if (row.unit == Unit::kBytes) return "a size such as 65536 or \"64KiB\"";
      if (row.unit == Unit::kMilliseconds) return "a time such as 5000 (milliseconds) or \"5s\"";
      if (row.unit == Unit::kSeconds) return "a time such as 90 (seconds) or \"90s\"";
      return "a whole number";
    case Type::kTextList: return "a list of texts";
    case Type::kChoice: {
      std::string out = "one of";
      for (const std::string_view choice : row.choices) out.append(" ").append(choice).append(",");
      out.pop_back();
      return out;
    }
    case Type::kText:
    case Type::kId:
    case Type::kSecret: return "a text in quotes";
  }
  return {};
}

}  // namespace kilat::config
