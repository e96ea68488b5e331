// Structured log lines on standard error: one event name and a few fields, as JSON or as text for people.
// Owner: the process; init() once before the shards start, event() from any thread afterwards (one short lock a line).
// Bounds: a value longer than kValueBytesMax is cut, so that no peer can make a line long. Never pass a secret.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace kilat::log {

enum class Level : uint8_t { kDebug, kInfo, kWarn, kError };

enum class Format : uint8_t { kHuman, kJson };

inline constexpr size_t kValueBytesMax = 256;

using Value = std::variant<std::string_view, int64_t, double, bool>;

/// One key with its value. Holds views: lives no longer than the call it is made for.
struct Field {
  constexpr Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  constexpr Field(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  constexpr Field(std::string_view k, bool v) : key(k), value(v) {}
  constexpr Field(std::string_view k, double v) : key(k), value(v) {}
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  constexpr Field(std::string_view k, T v) : key(k), value(static_cast<int64_t>(v)) {}

  std::string_view key;
  Value value;
};

/// Sets what is written and how. Main thread, before others log; may be called again (tests).
/// `colours` concerns the human format only.
void init(Level level, Format format, bool colours);

/// Writes one line with a JSON object of any size, made by us and without secrets, under `name`. Any thread.
void document(Level level, std::string_view name, std::string_view json);

/// Changes what is written. Any thread.
void set_level(Level level);

/// Whether a line of `level` would be written: one relaxed load, so callers can skip building the fields.
bool enabled(Level level);

/// Writes one line if `level` is enabled. `name` is a stable identifier such as "connection_closed". Any thread.
void event(Level level, std::string_view name, std::initializer_list<Field> fields = {});

/// "debug", "info", "warn" or "error" to a level; anything else is info (the configuration has checked it before).
Level level_from(std::string_view text);

/// The line event() would write at `unix_time_ms`, without its newline. Local time in the human format, UTC in JSON.
std::string format_line(Format format, bool colours, uint64_t unix_time_ms, Level level, std::string_view name,
                        std::initializer_list<Field> fields);

}  // namespace kilat::log
