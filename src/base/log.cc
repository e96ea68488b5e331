#include "base/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <array>
#include <atomic>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <memory>

#include "base/clock.h"
#include "base/json_text.h"
#include "base/utf8_repair.h"

namespace kilat::log {
namespace {

std::atomic<Level> g_level{Level::kInfo};
std::atomic<Format> g_format{Format::kHuman};
std::atomic<bool> g_colours{false};

spdlog::logger& logger() {
  // Leaked on purpose: shards may still log while static objects are destroyed.
  static auto* instance = [] {
    auto* made = new spdlog::logger("kilat", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::trace);
    return made;
  }();
  return *instance;
}

std::string_view level_name(Level level) {
  constexpr std::array<std::string_view, 4> kNames{"debug", "info", "warn", "error"};
  return kNames[static_cast<size_t>(level)];
}

// Control characters beyond ASCII: a terminal may obey C1 (U+0080 to U+009F), and the bidirectional ones (U+202A to
// U+202E, U+2066 to U+2069) make a line read as what it is not.
void replace_hidden_controls(std::string& text) {
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    const auto at = [&](size_t offset) {
      return i + offset < text.size() ? static_cast<unsigned char>(text[i + offset]) : 0u;
    };
    const bool c1 = at(0) == 0xc2 && at(1) >= 0x80 && at(1) <= 0x9f;
    const bool bidi = at(0) == 0xe2 && ((at(1) == 0x80 && at(2) >= 0xaa && at(2) <= 0xae) ||
                                        (at(1) == 0x81 && at(2) >= 0xa6 && at(2) <= 0xa9));
    if (c1 || bidi) text.replace(i, c1 ? 2 : 3, "\xef\xbf\xbd");
  }
}

std::string shortened(std::string_view text) {
  const std::string_view head = cut_utf8(text, kValueBytesMax);
  std::string out = repair_utf8(head);
  replace_hidden_controls(out);
  if (head.size() < text.size()) out += "…";
  return out;
}

bool plain_word(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f || c == '"' || c == '=') return false;
  }
  return !text.empty();
}

// JSON text needs no escape for DEL, but a terminal obeys it.
void append_quoted(std::string& out, std::string_view text) {
  std::string quoted = json_string(text);
  for (size_t at = quoted.find('\x7f'); at != std::string::npos; at = quoted.find('\x7f'))
    quoted.replace(at, 1, "\\u007f");
  out += quoted;
}

void append_value(std::string& out, const Value& value, bool json) {
  std::array<char, 32> digits{};
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    const std::string safe = shortened(*text);
    if (!json && plain_word(safe)) {
      out += safe;
    } else {
      append_quoted(out, safe);
    }
  } else if (const auto* number = std::get_if<int64_t>(&value)) {
    out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), *number).ptr);
  } else if (const auto* real = std::get_if<double>(&value)) {
    if (std::isfinite(*real)) {
      out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), *real).ptr);
    } else {
      out += "null";  // JSON has no infinity
    }
  } else {
    out += std::get<bool>(value) ? "true" : "false";
  }
}

std::string format_json(uint64_t time_ms, Level level, std::string_view name, std::initializer_list<Field> fields) {
  const auto seconds = static_cast<time_t>(time_ms / 1000);
  tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 48> stamp{};
  const size_t length = strftime(stamp.data(), stamp.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::array<char, 8> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03uZ", static_cast<unsigned>(time_ms % 1000));

  std::string out = "{\"ts\":\"";
  out.append(stamp.data(), length).append(fraction.data()).append("\",\"level\":\"").append(level_name(level));
  out += "\",\"event\":";
  append_quoted(out, shortened(name));
  for (const Field& field : fields) {
    out += ',';
    append_quoted(out, shortened(field.key));
    out += ':';
    append_value(out, field.value, true);
  }
  out += '}';
  return out;
}

std::string format_human(bool colours, uint64_t time_ms, Level level, std::string_view name,
                         std::initializer_list<Field> fields) {
  constexpr std::array<std::string_view, 4> kColours{"\x1b[2m", "\x1b[32m", "\x1b[33m", "\x1b[31m"};
  const auto seconds = static_cast<time_t>(time_ms / 1000);
  tm local{};
  localtime_r(&seconds, &local);
  std::array<char, 16> stamp{};
  std::string out(stamp.data(), strftime(stamp.data(), stamp.size(), "%H:%M:%S", &local));
  out += ' ';
  if (colours) out += kColours[static_cast<size_t>(level)];
  const std::string_view label = level_name(level);
  out.append(label).append(label.size() < 5 ? 5 - label.size() : 0, ' ');
  if (colours) out += "\x1b[0m";
  out += ' ';
  out += shortened(name);
  for (const Field& field : fields) {
    out.append(" ").append(field.key).append("=");
    append_value(out, field.value, false);
  }
  return out;
}

}  // namespace

void init(Level level, Format format, bool colours) {
  logger();
  g_level.store(level, std::memory_order_relaxed);
  g_format.store(format, std::memory_order_relaxed);
  g_colours.store(colours, std::memory_order_relaxed);
}

void document(Level level, std::string_view name, std::string_view json) {
  if (!enabled(level) || json.empty()) return;
  const Format format = g_format.load(std::memory_order_relaxed);
  std::string line = format_line(format, g_colours.load(std::memory_order_relaxed), unix_ms(), level, name, {});
  if (format == Format::kJson) {
    line.pop_back();
    line.append(",\"document\":").append(json).append("}");
  } else {
    line.append(" ").append(json);
  }
  logger().log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

void set_level(Level level) {
  g_level.store(level, std::memory_order_relaxed);
}

bool enabled(Level level) {
  return level >= g_level.load(std::memory_order_relaxed);
}

void event(Level level, std::string_view name, std::initializer_list<Field> fields) {
  if (!enabled(level)) return;
  const std::string line = format_line(g_format.load(std::memory_order_relaxed),
                                       g_colours.load(std::memory_order_relaxed), unix_ms(), level, name, fields);
  logger().log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

Level level_from(std::string_view text) {
  if (text == "debug") return Level::kDebug;
  if (text == "warn") return Level::kWarn;
  if (text == "error") return Level::kError;
  return Level::kInfo;
}

std::string format_line(Format format, bool colours, uint64_t unix_time_ms, Level level, std::string_view name,
                        std::initializer_list<Field> fields) {
  return format == Format::kJson ? format_json(unix_time_ms, level, name, fields)
                                 : format_human(colours, unix_time_ms, level, name, fields);
}

}  // namespace kilat::log
