#include "config/variables.h"

namespace kilat::config {

std::optional<std::string_view> find_variable(std::span<const std::string> entries, std::string_view name) {
  for (const std::string& entry : entries) {
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=')
      return std::string_view(entry).substr(name.size() + 1);
  }
  return std::nullopt;
}

namespace {

// What stands for the reference, which is what is between the braces.
std::expected<std::string_view, std::string> resolve(std::string_view reference,
                                                     std::span<const std::string> variables) {
  const size_t mark = reference.find(":-");
  const std::string_view name = reference.substr(0, mark);
  if (name.empty()) return std::unexpected("has ${} without a name");
  const std::string_view value = find_variable(variables, name).value_or("");
  if (!value.empty()) return value;
  if (mark != std::string_view::npos) return reference.substr(mark + 2);
  return std::unexpected("needs the environment variable " + std::string(name.substr(0, 64)) +
                         ", which is missing or empty");
}

}  // namespace

std::expected<std::string, std::string> expand_variables(std::string_view text,
                                                         std::span<const std::string> variables) {
  std::string out;
  while (!text.empty()) {
    const size_t at = text.find("${");
    if (at != std::string_view::npos && at > 0 && text[at - 1] == '$') {  // $${
      out.append(text.substr(0, at - 1)).append("${");
      text.remove_prefix(at + 2);
      continue;
    }
    out += text.substr(0, at);
    if (at == std::string_view::npos) break;
    const size_t close = text.find('}', at);
    if (close == std::string_view::npos) return std::unexpected("has ${ without }");
    const auto value = resolve(text.substr(at + 2, close - at - 2), variables);
    if (!value) return std::unexpected(value.error());
    if (out.size() + value->size() > kExpandedBytesMax) return std::unexpected("gets longer than 256KiB");
    out += *value;
    text.remove_prefix(close + 1);
  }
  return out;
}

}  // namespace kilat::config
