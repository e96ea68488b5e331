// What is wrong with a configuration, where, and what to do: collected, never just the first.
// Plain values; any thread. Bound: kDiagnosticsMax of one load, the rest is not kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kilat::config {

inline constexpr size_t kDiagnosticsMax = 100;

enum class Severity : uint8_t { kError, kWarning };

/// Where something stands: a file with line and column (from 1; 0 = the file as a whole), or the name of an
/// environment variable or flag.
struct Place {
  std::string file;
  uint32_t line = 0;
  uint32_t column = 0;     ///< in characters
  uint32_t width = 1;      ///< characters to underline
  std::string text;        ///< the source line; empty where it cannot or must not be shown
  bool inherited = false;  ///< set for all apps, so that an app's own value goes before it
};

struct Diagnostic {
  Severity severity = Severity::kError;
  Place place;
  std::string message;
  std::string hint;                   ///< beside the caret: "did you mean …?"
  std::vector<std::string> remedies;  ///< commands or edits, one a line, under the message
};

using Diagnostics = std::vector<Diagnostic>;

/// Adds unless the bound is reached.
void add(Diagnostics& list, Diagnostic diagnostic);

/// In the order of the lines, whatever order they were found in; those without a line first.
void sort_by_place(Diagnostics& list);

bool has_errors(const Diagnostics& list);

/// "2 errors, 1 warning"; "" for an empty list.
std::string counted(const Diagnostics& list);

/// "7:1" behind the name of a file, or the name alone; "" for nowhere.
std::string render(const Place& place);

/// The text for people, with source line and caret where known; ends with a newline.
std::string render(const Diagnostic& diagnostic);

/// All of them, errors and warnings in the order given, and a line that counts them.
std::string render(const Diagnostics& list);

}  // namespace kilat::config
