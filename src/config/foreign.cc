#include "config/foreign.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <utility>

#include "base/json_text.h"
#include "base/utf8_repair.h"
#include "config/listen.h"
#include "config/suggest.h"
#include "config/text_rules.h"
#include "config/value.h"

namespace kilat::config {
namespace {

using Names = std::map<std::string, std::string, std::less<>>;

constexpr std::array<std::pair<Dialect, std::string_view>, 3> kPrefixes{
    {{Dialect::kSoketi, "SOKETI_"}, {Dialect::kReverb, "REVERB_"}, {Dialect::kLaravel, "PUSHER_"}}};

std::string_view prefix_of(Dialect dialect) {
  for (const auto& [known, prefix] : kPrefixes) {
    if (known == dialect) return prefix;
  }
  return {};
}

std::string readable(std::string_view text) {
  return repair_utf8(cut_utf8(text, 64));
}

void warn(Diagnostics& list, std::string_view name, std::string message, std::string hint = {}) {
  add(list, {Severity::kWarning, {.file = readable(name), .text = {}}, std::move(message), std::move(hint), {}});
}

// Laravel writes (true), Soketi takes JSON: "true" in quotes is a text there.
std::string_view unwrapped(std::string_view text) {
  const auto between = [&](char open, char close) {
    return text.size() >= 2 && text.front() == open && text.back() == close;
  };
  return between('(', ')') || between('"', '"') ? text.substr(1, text.size() - 2) : text;
}

std::optional<double> number_in(std::string_view text) {
  double number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || !std::isfinite(number))
    return std::nullopt;
  return number;
}

// A limit that Kilat does not go to is no reason not to start: the nearest one is taken.
std::string into_range(const Row& row, double number, std::string& warning) {
  const double lowest = static_cast<double>(row.min);
  const double highest = static_cast<double>(row.max);
  const double taken = std::clamp(std::floor(number), lowest, highest);
  const auto out = static_cast<uint64_t>(taken);
  if (number < lowest || number > highest) warning = "is beyond what Kilat allows; taken as " + format_number(row, out);
  return std::to_string(out);
}

std::string from_number(const ForeignRow& row, const std::string& text, std::string& warning) {
  const auto number = number_in(text);
  if (!number) return text;  // refused by the schema, in its own words
  const Row& setting = *find_row(row.key);
  if (row.convert == Convert::kLimit && *number <= 0) return "0";
  const double factor = row.convert == Convert::kKibibytes ? 1024 : row.convert == Convert::kMebibytes ? 1048576 : 1;
  return into_range(setting, *number * factor, warning);
}

bool is_true(std::string_view text) {
  return text == "true" || text == "1";
}

struct Sorted {
  std::array<Names, 3> of;  // in the order of kPrefixes
  const Names& operator[](Dialect dialect) const { return of[static_cast<size_t>(dialect) - 1]; }
};

Sorted sorted(std::span<const std::string> environment) {
  Sorted out;
  for (const std::string& entry : environment) {
    const size_t equals = entry.find('=');
    if (equals == std::string::npos) continue;
    for (size_t i = 0; i < kPrefixes.size(); ++i) {
      if (entry.starts_with(kPrefixes[i].second)) out.of[i].emplace(entry.substr(0, equals), entry.substr(equals + 1));
    }
  }
  return out;
}

bool given(const Names& names, std::string_view variable) {
  const auto found = names.find(variable);
  return found != names.end() && !unwrapped(found->second).empty() && unwrapped(found->second) != "null";
}

// The variables of a dialect that give id, key and secret, and whether each is there.
std::vector<std::pair<std::string_view, bool>> credentials(Dialect dialect, const Names& names) {
  std::vector<std::pair<std::string_view, bool>> out;
  for (const ForeignRow& row : foreign_table()) {
    const Row* setting = find_row(row.key);
    if (row.dialect != dialect || setting == nullptr || !is_required(*setting)) continue;
    if (!row.variable.empty()) out.emplace_back(row.variable, given(names, row.variable));
  }
  return out;
}

bool whole_app(Dialect dialect, const Names& names) {
  return std::ranges::all_of(credentials(dialect, names), [](const auto& entry) { return entry.second; });
}

Dialect choose(const Sorted& names, bool& has_app) {
  for (const auto& [dialect, prefix] : kPrefixes) {
    has_app = whole_app(dialect, names[dialect]);
    if (has_app) return dialect;
  }
  for (const Dialect dialect : {Dialect::kSoketi, Dialect::kReverb}) {
    if (!names[dialect].empty()) return dialect;
  }
  return Dialect::kNone;
}

void warn_unknown(Diagnostics& warnings, std::string_view variable, Dialect dialect) {
  std::vector<std::string_view> known;
  for (const ForeignRow& row : foreign_table()) {
    if (row.dialect == dialect && !row.variable.ends_with('*')) known.push_back(row.variable);
  }
  const std::string_view near = nearest(variable, known);
  warn(warnings, variable, "no setting of " + std::string(dialect_name(dialect)) + " that Kilat knows; ignored",
       near.empty() ? std::string{} : "did you mean " + std::string(near) + "?");
}

// One warning a row of the table, naming every variable it stands for.
void warn_lost(Diagnostics& warnings, const std::map<const ForeignRow*, std::vector<std::string>>& lost) {
  for (const ForeignRow& row : foreign_table()) {
    const auto found = lost.find(&row);
    if (found == lost.end()) continue;
    std::string message = "has no effect: " + std::string(row.note);
    for (size_t i = 1; i < found->second.size(); ++i)
      message += (i == 1 ? "; also " : ", ") + readable(found->second[i]);
    warn(warnings, found->second.front(), std::move(message));
  }
}

void read_names(ForeignSettings& out, const Names& names) {
  std::map<const ForeignRow*, std::vector<std::string>> lost;
  std::vector<std::pair<const ForeignRow*, Override>> found;
  for (const auto& [variable, raw] : names) {
    const ForeignRow* row = find_foreign_variable(variable);
    if (row == nullptr) {
      if (out.dialect != Dialect::kLaravel) warn_unknown(out.warnings, variable, out.dialect);
      continue;
    }
    if (row->key.empty()) {
      if (loses(*row, raw)) lost[row].push_back(variable);
      continue;
    }
    std::string warning;
    auto text = converted(*row, raw, warning);
    if (!warning.empty()) warn(out.warnings, variable, std::string(row->key) + " " + warning);
    if (!text) continue;
    found.emplace_back(row, Override{std::string(row->key), std::move(*text), variable,
                                     row->of_one_app() ? AppScope::kFirst : AppScope::kEvery});
  }
  // An address for metrics means nothing to Soketi while they are off.
  const auto metrics = names.find("SOKETI_METRICS_ENABLED");
  if (metrics == names.end() || !is_true(unwrapped(metrics->second)))
    std::erase_if(found, [](const auto& entry) { return entry.second.key == "metrics.listen"; });
  std::ranges::sort(found, {}, [](const auto& entry) { return entry.first; });
  for (auto& [row, entry] : found) out.overrides.push_back(std::move(entry));
  warn_lost(out.warnings, lost);
}

void apply_to(Document& document, const Row& row, size_t app, const Override& given) {
  apply_converted(document, row, app, given.value, {.file = given.from, .text = {}});
}

// Warns where a line that a person wrote for Kilat gives way to a variable meant for another server.
void warn_overridden(Document& document, const std::string& place_key, const Row& row, const Override& given) {
  const auto place = document.places.find(place_key);
  if (place == document.places.end() || place->second.line == 0 || document.foreign) return;
  warn(document.diagnostics, given.from,
       "overrides " + std::string(row.key) + " of " + place->second.file + ":" + std::to_string(place->second.line),
       "unset it if it is not meant for kilat");
}

}  // namespace

std::optional<std::string> converted(const ForeignRow& row, std::string_view raw, std::string& warning) {
  const Row* setting = find_row(row.key);
  if (setting == nullptr) return std::nullopt;
  if (setting->type == Type::kSecret) return raw.empty() ? std::nullopt : std::optional(std::string(raw));
  std::string text(unwrapped(raw));
  if (text.empty() || text == "null" || text == "[]") return std::nullopt;
  switch (row.convert) {
    case Convert::kAsIs: return text;
    case Convert::kNumber:
    case Convert::kLimit:
    case Convert::kKibibytes:
    case Convert::kMebibytes: return from_number(row, text, warning);
    case Convert::kPath: return text.starts_with('/') ? text : "/" + text;
    case Convert::kHost: return text + ":";
    case Convert::kPort: return ":" + text;
    case Convert::kMetricsOn: return is_true(text) ? std::optional<std::string>("0.0.0.0:") : std::nullopt;
    case Convert::kDebug: return is_true(text) ? std::optional<std::string>("debug") : std::nullopt;
    case Convert::kClientEvents:
      if (text == "none") return "false";
      if (text == "all") warning = "is taken as members: a client event needs a subscription";
      return text == "all" || text == "members" ? "true" : text;
  }
  return std::nullopt;
}

bool loses(const ForeignRow& row, std::string_view raw) {
  const std::string_view text = unwrapped(raw);
  if (row.fine == "*" || text.empty() || text == "null") return false;
  for (std::string_view rest = row.fine; !rest.empty();) {
    const size_t comma = std::min(rest.find(','), rest.size());
    if (text == rest.substr(0, comma)) return false;
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return true;
}

ForeignSettings foreign_environment(std::span<const std::string> environment) {
  const Sorted names = sorted(environment);
  ForeignSettings out;
  out.dialect = choose(names, out.has_app);
  if (out.dialect == Dialect::kNone) return out;
  read_names(out, names[out.dialect]);
  for (const Dialect other : {Dialect::kSoketi, Dialect::kReverb}) {
    if (other == out.dialect || names[other].empty()) continue;
    // An application's .env holds what it connects with; only a server's own names are a contradiction.
    const bool contradicts = std::ranges::any_of(names[other], [](const auto& entry) {
      const ForeignRow* row = find_foreign_variable(entry.first);
      return row != nullptr && row->fine != "*" && loses(*row, entry.second);
    });
    if (contradicts)
      warn(out.warnings, names[other].begin()->first,
           "and all " + std::string(prefix_of(other)) + " names are ignored, because there are " +
               std::string(prefix_of(out.dialect)) + " ones");
  }
  return out;
}

void apply_foreign(Document& document, const ForeignSettings& given) {
  auto& apps = document.settings.apps;
  for (const Override& entry : given.overrides) {
    const Row& row = *find_row(entry.key);
    if (!row.of_app()) {
      warn_overridden(document, entry.key, row, entry);
      apply_to(document, row, 0, entry);
      continue;
    }
    if (apps.empty()) apps.emplace_back();
    if (entry.scope == AppScope::kFirst) {
      if (apps.size() > 1 && !document.foreign) {
        warn(document.diagnostics, entry.from,
             "sets the only app, but the configuration has " + std::to_string(apps.size()) + "; ignored");
        continue;
      }
      warn_overridden(document, Document::app_key(0, row.name()), row, entry);
      apply_to(document, row, 0, entry);
      continue;
    }
    for (size_t i = 0; i < apps.size(); ++i) {
      const auto place = document.places.find(Document::app_key(i, row.name()));
      if (place == document.places.end() || place->second.inherited) apply_to(document, row, i, entry);
    }
  }
  const bool soketi = document.foreign || given.dialect == Dialect::kSoketi;
  if (soketi && document.places.contains("tls.certificate")) listen_as_soketi(document);
}

void set_defaults(Document& document, Dialect dialect, std::optional<size_t> app) {
  hub::AppSettings unused;
  for (const ForeignDefault& entry : foreign_defaults()) {
    const Row& row = *find_row(entry.key);
    if (entry.dialect != dialect || row.of_app() != app.has_value()) continue;
    if (const auto value = parse_text(row, entry.value))
      row.set(row, document.settings, app ? document.settings.apps[*app] : unused, *value);
  }
}

void apply_converted(Document& document, const Row& row, size_t app, std::string text, const Place& place) {
  if (row.key == "metrics.listen" && (text.starts_with(':') || text.ends_with(':'))) {
    std::string host = "127.0.0.1";
    uint16_t port = 9601;
    const std::string& now = document.settings.metrics.listen;
    if (!now.empty()) split_listen(now, host, port);
    text = text.ends_with(':') ? join_listen(text.substr(0, text.size() - 1), port)
                               : join_listen(host, 0).erase(join_listen(host, 0).size() - 2) + text;
  }
  auto value = parse_text(row, text);
  if (value) return apply(document, row, app, std::move(*value), place);
  document.places[row.of_app() ? Document::app_key(app, row.name()) : std::string(row.key)] = place;
  add(document.diagnostics, {Severity::kError, place, std::string(row.key) + " " + value.error(), {}, {}});
}

void listen_as_soketi(Document& document) {
  ServerSettings& server = document.settings.server;
  const TlsSettings& tls = document.settings.tls;
  if (!server.listen.empty() || tls.certificate.empty() || tls.key.empty()) return;
  set_listen(server, {join_listen(server.host, server.port) + " tls"});
}

}  // namespace kilat::config
