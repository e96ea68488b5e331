#include "config/diagnostic.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace kilat::config {
namespace {

constexpr uint32_t kColumnsShown = 160;

std::string number_of(size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

void append_source(std::string& out, const Diagnostic& diagnostic) {
  const Place& place = diagnostic.place;
  const std::string number = std::to_string(place.line);
  const std::string margin(std::max<size_t>(number.size(), 5), ' ');
  out += margin.substr(number.size()) + number + " | " + place.text + "\n";
  // A caret far to the right of a cut line would point at nothing.
  const bool caret = place.column >= 1 && place.column <= kColumnsShown;
  if (!caret && diagnostic.hint.empty()) return;
  out += margin + " | ";
  if (caret) {
    const uint32_t width = std::clamp(place.width, 1U, kColumnsShown - place.column + 1);
    out.append(place.column - 1, ' ').append(width, '^').append(diagnostic.hint.empty() ? 0 : 1, ' ');
  }
  out += diagnostic.hint + "\n";
}

}  // namespace

void add(Diagnostics& list, Diagnostic diagnostic) {
  if (list.size() >= kDiagnosticsMax) return;
  // Both may repeat what a file says, and a terminal must not obey it.
  for (std::string* text : {&diagnostic.message, &diagnostic.hint}) {
    std::ranges::replace_if(*text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  }
  list.push_back(std::move(diagnostic));
}

bool has_errors(const Diagnostics& list) {
  return std::ranges::any_of(list, [](const Diagnostic& entry) { return entry.severity == Severity::kError; });
}

void sort_by_place(Diagnostics& list) {
  std::ranges::sort(list, [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.place.line, a.place.column, a.message) < std::tie(b.place.line, b.place.column, b.message);
  });
}

std::string counted(const Diagnostics& list) {
  const auto errors = static_cast<size_t>(
      std::ranges::count_if(list, [](const Diagnostic& entry) { return entry.severity == Severity::kError; }));
  const size_t warnings = list.size() - errors;
  std::string out;
  if (errors > 0) out += number_of(errors, "error");
  if (errors > 0 && warnings > 0) out += ", ";
  if (warnings > 0) out += number_of(warnings, "warning");
  return list.size() == kDiagnosticsMax ? out + " and perhaps more" : out;
}

std::string render(const Place& place) {
  if (place.line == 0) return place.file;
  return place.file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
}

std::string render(const Diagnostic& diagnostic) {
  const Place& place = diagnostic.place;
  std::string out = render(place);
  if (!out.empty()) out += ": ";
  out += diagnostic.severity == Severity::kError ? "error: " : "warning: ";
  out += diagnostic.message + "\n";
  if (place.line > 0 && !place.text.empty()) {
    append_source(out, diagnostic);
  } else if (!diagnostic.hint.empty()) {
    out += "  " + diagnostic.hint + "\n";
  }
  for (size_t i = 0; i < diagnostic.remedies.size(); ++i)
    out += (i == 0 ? "  try   " : "  or    ") + diagnostic.remedies[i] + "\n";
  return out;
}

std::string render(const Diagnostics& list) {
  std::string out;
  for (const Diagnostic& entry : list) out += render(entry);
  return list.size() < 2 ? out : out + counted(list) + "\n";
}

}  // namespace kilat::config
