#include "config/document.h"

#include <utility>

#include "config/value.h"

namespace kilat::config {
namespace {

Place place_of(const Document& document, const std::string& key) {
  const auto found = document.places.find(key);
  return found == document.places.end() ? Place{} : found->second;
}

void complain(Document& document, Place place, std::string message, std::string hint = {}) {
  add(document.diagnostics, {Severity::kError, std::move(place), std::move(message), std::move(hint), {}});
}

std::string where(const Place& place) {
  return place.line > 0 ? "line " + std::to_string(place.line) : place.file;
}

bool was_refused(const Document& document, const std::string& key) {
  return document.places.contains(key);
}

void check_app(Document& document, size_t index) {
  const hub::AppSettings& app = document.settings.apps[index];
  const std::string name = app.id.empty() ? "[[app]] number " + std::to_string(index + 1) : "app \"" + app.id + "\"";
  for (const auto& [member, field] : {std::pair{&hub::AppSettings::id, "id"},
                                      {&hub::AppSettings::key, "key"},
                                      {&hub::AppSettings::secret, "secret"}}) {
    if (!(app.*member).empty()) {
      continue;
    }
    // A value that was refused has had its own message.
    if (was_refused(document, Document::app_key(index, field))) continue;
    complain(document, place_of(document, Document::app_key(index)), name + " has no " + field,
             std::string("add ") + field + " = \"…\"");
  }
}

void check_duplicates(Document& document, std::string hub::AppSettings::* member, std::string_view field) {
  std::map<std::string_view, size_t> first;
  const auto& apps = document.settings.apps;
  for (size_t i = 0; i < apps.size(); ++i) {
    const std::string& value = apps[i].*member;
    if (value.empty()) continue;
    const auto [entry, fresh] = first.emplace(value, i);
    if (fresh) continue;
    const Place earlier = place_of(document, Document::app_key(entry->second, field));
    std::string message = "app." + std::string(field) + " \"" + value + "\" occurs twice";
    if (!earlier.file.empty()) message += "; first in " + where(earlier);
    complain(document, place_of(document, Document::app_key(i, field)), std::move(message),
             "every app needs its own " + std::string(field));
  }
}

}  // namespace

void apply(Document& document, const Row& row, size_t app, Value value, const Place& place) {
  const std::string key = row.of_app() ? Document::app_key(app, row.name()) : std::string(row.key);
  document.places[key] = place;
  if (std::string wrong = check_value(row, value); !wrong.empty()) {
    complain(document, place, std::string(row.key) + " " + wrong);
    return;
  }
  hub::AppSettings unused;
  row.set(row, document.settings, row.of_app() ? document.settings.apps[app] : unused, value);
}

void validate(Document& document) {
  for (size_t i = 0; i < document.settings.apps.size(); ++i) check_app(document, i);
  check_duplicates(document, &hub::AppSettings::id, "id");
  check_duplicates(document, &hub::AppSettings::key, "key");

  const LimitSettings& limits = document.settings.limits;
  if (limits.outbox_soft_bytes > limits.outbox_bytes_max) {
    const bool soft_given = document.places.contains("limits.outbox_soft_bytes");
    complain(document, place_of(document, soft_given ? "limits.outbox_soft_bytes" : "limits.outbox_bytes_max"),
             "limits.outbox_soft_bytes is " + format_size(limits.outbox_soft_bytes) +
                 ", above limits.outbox_bytes_max, which is " + format_size(limits.outbox_bytes_max),
             "the soft limit must not be above the hard one");
  }

  const auto listen = document.places.find("server.listen");
  if (listen == document.places.end()) return;
  for (const char* key : {"server.host", "server.port"}) {
    const auto other = document.places.find(key);
    // Only within one file: an environment variable or flag is meant to override.
    if (other == document.places.end() || other->second.line == 0 || listen->second.line == 0) continue;
    complain(document, other->second, std::string(key) + " beside server.listen (" + where(listen->second) + ")",
             "keep one of the two");
  }
}

}  // namespace kilat::config
