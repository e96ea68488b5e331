#include "config/overrides.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/utf8_repair.h"
#include "config/suggest.h"
#include "config/value.h"

namespace kilat::config {
namespace {

constexpr std::string_view kPrefix = "KILAT_";

void complain(Document& document, const Override& given, std::string message) {
  add(document.diagnostics, {Severity::kError, {.file = given.from, .text = {}}, std::move(message), {}, {}});
}

Diagnostic unknown_variable(std::string_view name, std::span<const std::string> known) {
  const std::vector<std::string_view> views(known.begin(), known.end());
  const std::string_view near = nearest(name, views);
  std::string hint = near.empty() ? "see docs/configuration.md" : "did you mean " + std::string(near) + "?";
  return {Severity::kWarning,
          {.file = repair_utf8(cut_utf8(name, 64)), .text = {}},
          "no setting has this name; ignored",
          std::move(hint),
          {}};
}

}  // namespace

std::string variable_of(const Row& row) {
  std::string out(kPrefix);
  for (const char c : row.key) out += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return out;
}

std::vector<Override> environment_overrides(std::span<const std::string> environment, Diagnostics& warnings) {
  std::vector<std::string> known;
  for (const Row& row : schema()) known.push_back(variable_of(row));

  std::vector<std::pair<size_t, Override>> found;
  for (const std::string& entry : environment) {
    if (!entry.starts_with(kPrefix)) continue;
    const size_t equals = entry.find('=');
    if (equals == std::string::npos) continue;
    std::string name = entry.substr(0, equals);
    const auto at = std::ranges::find(known, name);
    if (at == known.end()) {
      add(warnings, unknown_variable(name, known));
      continue;
    }
    const auto index = static_cast<size_t>(at - known.begin());
    found.emplace_back(
        index, Override{std::string(schema()[index].key), entry.substr(equals + 1), std::move(name), AppScope::kOnly});
  }
  std::ranges::sort(found, {}, [](const auto& pair) { return pair.first; });

  std::vector<Override> out;
  out.reserve(found.size());
  for (auto& [index, given] : found) out.push_back(std::move(given));
  return out;
}

void apply_overrides(Document& document, std::span<const Override> overrides) {
  for (const Override& given : overrides) {
    const Row* row = find_row(given.key);
    if (row == nullptr) {
      complain(document, given, "no setting is called " + given.key);
      continue;
    }
    if (row->of_app()) {
      auto& apps = document.settings.apps;
      if (apps.size() > 1) {
        complain(
            document, given,
            "sets the only app, but the configuration has " + std::to_string(apps.size()) + "; set it in the file");
        continue;
      }
      if (apps.empty()) apps.emplace_back();
    }
    auto value = parse_text(*row, given.value);
    if (!value) {
      complain(document, given, std::string(row->key) + " " + value.error());
      continue;
    }
    apply(document, *row, 0, std::move(*value), {.file = given.from, .text = {}});
  }
}

}  // namespace kilat::config
