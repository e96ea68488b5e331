#include "config/document.h"

#include <algorithm>
#include <utility>

#include "base/quantity.h"
#include "config/flow_clash.h"
#include "config/listen.h"
#include "config/namespaces.h"
#include "config/suggest.h"
#include "config/text_rules.h"
#include "config/value.h"
#include "hub/history_rules.h"

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

// What helps after a value was refused: the word that was meant, or why there is a bound.
std::string advice(const Row& row, const Value& value) {
  if (row.type == Type::kChoice) {
    const std::string_view near = nearest(std::get<std::string>(value), row.choices);
    return near.empty() ? std::string{} : "did you mean \"" + std::string(near) + "\"?";
  }
  return row.why.empty() ? std::string{} : "why: " + std::string(row.why);
}

// What TLS needs beside the files themselves, which only the server reads.
void check_tls(Document& document) {
  const TlsSettings& tls = document.settings.tls;
  const auto wrong = [&](const char* key, std::string message, std::string hint) {
    // A value that was refused has had its own message.
    if (document.settings.tls.certificate.empty() && was_refused(document, "tls.certificate")) return;
    complain(document, place_of(document, key), std::move(message), std::move(hint));
  };
  const std::vector<Listen> all = listeners(document.settings.server);
  const bool used = std::ranges::any_of(all, &Listen::tls);
  if (used && tls.certificate.empty()) {
    wrong("server.listen", "server.listen asks for TLS, but there is no certificate",
          "add [tls] with certificate and key");
  }
  if (!used && !tls.certificate.empty()) {
    wrong("tls.certificate", "tls.certificate is given, but no entry of server.listen has the word tls",
          "for example listen = \"0.0.0.0:6001 tls\"");
  }
  if (tls.certificate.size() != tls.key.size()) {
    wrong(tls.key.empty() ? "tls.certificate" : "tls.key",
          "tls.certificate and tls.key must have the same number of files",
          "each certificate needs its key, in the same order");
  }
  if (tls.client_certificates != net::ClientCertificates::kOff && tls.client_ca.empty()) {
    wrong("tls.client_certificates", "tls.client_certificates needs tls.client_ca", "add the authority's PEM file");
  }
}

// A listener that takes proxies only must know some; else nobody could connect.
void check_proxies(Document& document) {
  const auto& trusted = document.settings.server.trusted_proxies;
  for (const Listen& listen : listeners(document.settings.server)) {
    const auto suits = [&listen](const std::string& entry) { return (entry == "unix") == listen.local(); };
    if (!listen.proxy_protocol || std::ranges::any_of(trusted, suits)) continue;
    complain(document, place_of(document, "server.listen"),
             listen.address() + " takes the PROXY protocol, but server.trusted_proxies names nobody who could speak it",
             listen.local() ? "add \"unix\"" : "add the proxy's address");
  }
}

// One whose app is not there answers "Invalid namespace". An app of the database may come later, and nothing is known
// about it where the database was not read.
void check_socketio_app(Document& document, const char* key, const std::string& id, const std::string& what) {
  const Settings& settings = document.settings;
  const auto has_id = [&id](const hub::AppSettings& app) { return app.id == id; };
  if (id.empty() || std::ranges::any_of(settings.apps, has_id)) return;
  const bool database = !settings.app_store.database.empty();
  if (database && !document.stored_apps) return;
  std::vector<std::string_view> ids;
  ids.reserve(settings.apps.size());
  for (const hub::AppSettings& app : settings.apps) ids.push_back(app.id);
  const std::string_view near = nearest(id, ids);
  add(document.diagnostics, {database ? Severity::kWarning : Severity::kError,
                             place_of(document, key),
                             what + " names the app \"" + id + "\", which does not exist",
                             near.empty() ? "add [[app]] with this id" : "did you mean \"" + std::string(near) + "\"?",
                             {}});
}

// Durable channels would refuse every event.
void check_history(Document& document) {
  if (!document.settings.history.file.empty()) return;
  for (size_t i = 0; i < document.settings.apps.size(); ++i) {
    for (const std::string& text : document.settings.apps[i].history) {
      const auto rule = hub::HistoryRule::parse(text);
      if (!rule || !rule->limits().durable) continue;
      complain(document, place_of(document, Document::app_key(i, "history")),
               "app \"" + document.settings.apps[i].id + "\" has durable channels, but history.file names no file",
               "add [history] file = \"/var/lib/kilat/history.db\"");
      break;
    }
  }
}

// Readings would all be refused.
void check_ingest(Document& document) {
  if (!document.settings.ingest.file.empty()) return;
  for (size_t i = 0; i < document.settings.apps.size(); ++i) {
    const hub::AppSettings& app = document.settings.apps[i];
    if (!app.ingest.on()) continue;
    const char* field = app.ingest.channel.empty() ? "ingest_keep" : "ingest_channel";
    complain(document, place_of(document, Document::app_key(i, field)),
             "app \"" + app.id + "\" has " + field + ", but ingest.file names no file",
             "add [ingest] file = \"/var/lib/kilat/ingest.db\"");
  }
}

// What is answered when it is on disk must not wait in memory before that.
void check_flow(Document& document, size_t index) {
  const hub::AppSettings& app = document.settings.apps[index];
  for (const std::string& text : app.flow) {
    const auto rule = flow::FlowRule::parse(text);
    if (!rule) continue;
    const FlowClash clash = find_clash(*rule, app);
    if (clash.kind == FlowClash::Kind::kNone) continue;
    const bool certain = clash.kind == FlowClash::Kind::kCertain;
    add(document.diagnostics,
        {certain ? Severity::kError : Severity::kWarning,
         place_of(document, Document::app_key(index, "flow")),
         "app \"" + app.id + "\": the flow rule \"" + text + (certain ? "\" holds" : "\" may hold") + " events of " +
             clash.with + ", which are answered before they are on disk and lost when the server is killed",
         "fold into another channel with to=, or take the channel out of one of the two",
         {}});
  }
}

void check_socketio(Document& document) {
  const SocketIoSettings& socketio = document.settings.socketio;
  check_socketio_app(document, "socketio.app", socketio.app, "socketio.app");
  for (const std::string& text : socketio.namespaces) {
    const NamespaceEntry entry = parse_namespace(text);
    check_socketio_app(document, "socketio.namespaces", entry.app, "socketio.namespaces: \"" + entry.name + "\"");
  }
}

// Soketi has this secret where none is given, and its manual shows it.
void warn_known_secrets(Document& document) {
  for (size_t i = 0; i < document.settings.apps.size(); ++i) {
    const hub::AppSettings& app = document.settings.apps[i];
    if (app.secret != "app-secret") continue;
    add(document.diagnostics,
        {Severity::kWarning,
         place_of(document, Document::app_key(i, "secret")),
         "app \"" + app.id + "\" has a secret that everybody knows from Soketi's manual, on a public address",
         {},
         {"take one of your own: kilat init"}});
  }
}

}  // namespace

void apply(Document& document, const Row& row, size_t app, Value value, const Place& place) {
  const std::string key = row.of_app() ? Document::app_key(app, row.name()) : std::string(row.key);
  document.places[key] = place;
  if (std::string wrong = check_value(row, value); !wrong.empty()) {
    complain(document, place, std::string(row.key) + " " + wrong, advice(row, value));
    return;
  }
  hub::AppSettings unused;
  row.set(row, document.settings, row.of_app() ? document.settings.apps[app] : unused, value);
}

void validate(Document& document) {
  for (size_t i = 0; i < document.settings.apps.size(); ++i) check_app(document, i);
  check_duplicates(document, &hub::AppSettings::id, "id");
  check_duplicates(document, &hub::AppSettings::key, "key");
  if (!is_loopback(document.settings.server.host)) warn_known_secrets(document);

  check_tls(document);
  check_proxies(document);
  check_socketio(document);
  check_history(document);
  check_ingest(document);
  for (size_t i = 0; i < document.settings.apps.size(); ++i) check_flow(document, i);

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
