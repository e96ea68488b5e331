// The one table of settings: every key the server knows, with its type, range, help and the member it fills.
// Reading TOML, environment and flags, checking values and docs/configuration.md are all made from these rows; the
// default of a row is what a default-constructed Settings holds, so the two cannot differ.
// Immutable; any thread may read it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/settings.h"

namespace kilat::config {

enum class Type : uint8_t {
  kBool,
  kInteger,   ///< unsigned; with a unit also "64KiB", "1MiB", or "500ms", "30s", "1h"
  kText,      ///< min and max are lengths in bytes
  kId,        ///< text that TOML may also give as an integer
  kSecret,    ///< text that no message, log line or document repeats
  kTextList,  ///< max is the number of entries
  kChoice,    ///< one of Row::choices
};

enum class Unit : uint8_t { kNone, kBytes, kMilliseconds, kSeconds, kPerSecond };

using Value = std::variant<bool, uint64_t, std::string, std::vector<std::string>>;

struct Row {
  std::string_view key;  ///< "section.name"; rows of section "app" hold once for each [[app]]
  Type type = Type::kBool;
  Unit unit = Unit::kNone;
  uint64_t min = 0;
  uint64_t max = 0;
  std::span<const std::string_view> choices;
  std::string_view help;      ///< one line
  std::string_view example;   ///< a value as TOML writes it
  std::string_view why;       ///< of the bounds, for messages about a value beyond them; may be empty
  bool urls = false;          ///< texts that may be URLs with secrets in them: shown by http::shown_url
  bool needs_restart = true;  ///< else a reload puts it into effect
  std::string (*rule)(std::string& text) = nullptr;  ///< for texts: what is wrong, or ""; may bring it to normal form
  void (*set)(const Row& row, Settings& settings, hub::AppSettings& app, const Value& value) = nullptr;
  Value (*get)(const Row& row, const Settings& settings, const hub::AppSettings& app) = nullptr;

  std::string_view section() const { return key.substr(0, key.find('.')); }
  std::string_view name() const { return key.substr(key.find('.') + 1); }
  bool of_app() const { return section() == "app"; }
};

/// All rows, grouped by section, in the order of the reference.
std::span<const Row> schema();

/// Whether every app must give a value of its own: id, key and secret.
bool is_required(const Row& row);

/// The row of `key` ("server.port"), or null.
const Row* find_row(std::string_view key);

}  // namespace kilat::config
