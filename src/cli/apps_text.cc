#include "cli/apps_text.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include "base/json_text.h"
#include "base/utf8_repair.h"
#include "cli/failure.h"

namespace kilat::cli {
namespace {

using store::StoredApp;

constexpr std::string_view kMask = "…";

bool rotating(const StoredApp& app, uint64_t now_unix_s) {
  return !app.previous_secret.empty() && app.previous_until_s > now_unix_s;
}

std::string settings_text(const StoredApp& app) {
  std::string out;
  for (const auto& [name, value] : app.settings)
    out.append(out.empty() ? "" : " ").append(name).append("=").append(value);
  return out;
}

std::string fact(std::string_view indent, std::string_view name, std::string_view value) {
  constexpr size_t kWidth = 10;
  std::string out(indent);
  out += name;
  out.append(name.size() < kWidth ? kWidth - name.size() : 1, ' ');
  return out + fit_for_terminal(value) + "\n";
}

std::string json_text(std::string_view text) {
  return json_string(repair_utf8(text));
}

}  // namespace

std::string utc_text(uint64_t unix_s) {
  const auto seconds = static_cast<time_t>(unix_s);
  tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> out{};
  const size_t size = strftime(out.data(), out.size(), "%Y-%m-%d %H:%M:%S UTC", &parts);
  return {out.data(), size};
}

std::string apps_table(std::span<const StoredApp> apps, uint64_t now_unix_s) {
  if (apps.empty()) return "no apps\n";
  using Line = std::array<std::string, 6>;
  std::vector<Line> lines{{"ID", "KEY", "SECRET", "STATE", "CREATED", "SETTINGS"}};
  for (const StoredApp& app : apps) {
    std::string state = app.enabled ? "enabled" : "disabled";
    if (rotating(app, now_unix_s)) state += ", rotating";
    lines.push_back({fit_for_terminal(app.id), fit_for_terminal(app.key), std::string(kMask), std::move(state),
                     utc_text(app.created_s), fit_for_terminal(settings_text(app))});
  }
  // In characters, because the mask has more bytes than it takes columns.
  const auto width_of = [](std::string_view text) {
    return static_cast<size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
  };
  std::array<size_t, std::tuple_size_v<Line>> widths{};
  for (const Line& line : lines) {
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], width_of(line[i]));
  }
  std::string out;
  for (const Line& line : lines) {
    std::string text;
    for (size_t i = 0; i < line.size(); ++i) text += line[i] + std::string(widths[i] - width_of(line[i]) + 2, ' ');
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  }
  return out;
}

std::string app_text(const StoredApp& app, bool with_secret, uint64_t now_unix_s, std::string_view indent) {
  std::string out = fact(indent, "id", app.id) + fact(indent, "key", app.key) +
                    fact(indent, "secret", with_secret ? std::string_view(app.secret) : kMask);
  if (rotating(app, now_unix_s)) {
    const std::string_view previous = with_secret ? std::string_view(app.previous_secret) : kMask;
    out += fact(indent, "previous", std::string(previous) + " until " + utc_text(app.previous_until_s));
  }
  out += fact(indent, "state", app.enabled ? "enabled" : "disabled") + fact(indent, "created", utc_text(app.created_s));
  for (const auto& [name, value] : app.settings)
    out += fact(indent, "setting", std::string(name).append("=").append(value));
  return out;
}

std::string app_json(const StoredApp& app, bool with_secret, uint64_t now_unix_s) {
  std::string out = "{\"id\":" + json_text(app.id) + ",\"key\":" + json_text(app.key);
  if (with_secret) out += ",\"secret\":" + json_text(app.secret);
  if (rotating(app, now_unix_s)) {
    if (with_secret) out += ",\"previous_secret\":" + json_text(app.previous_secret);
    out += ",\"previous_until\":" + std::to_string(app.previous_until_s);
  }
  out += std::string(",\"enabled\":") + (app.enabled ? "true" : "false") +
         ",\"created\":" + std::to_string(app.created_s) + ",\"settings\":{";
  for (const auto& [name, value] : app.settings) {
    if (out.back() != '{') out += ',';
    out += json_text(name) + ":" + json_text(value);
  }
  return out + "}}";
}

}  // namespace kilat::cli
