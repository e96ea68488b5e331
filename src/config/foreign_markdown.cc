#include <string>

#include "config/foreign.h"

namespace kilat::config {
namespace {

constexpr std::string_view kText = R"(
## Names of Soketi, Reverb and Laravel

A user of these servers can put Kilat in their place and keep the environment. The first of Soketi, Reverb and Laravel
that gives a whole app (id, key and secret) is taken; `PUSHER_APP_` names count only where nothing else gives an app.
`--config FILE.json` reads the file of `soketi start --config`, its keys nested or dotted. Where there is neither a
configuration file nor `./.kilat/dev.toml`, and beside a JSON file, the names are also read from `./.env`; the real
environment goes before it.

What has no effect is named in a warning at the start and by `kilat check`. A limit beyond Kilat's own becomes the
nearest one, with a warning. An empty value and `null` mean the default. A variable for all apps does not touch an app
that has its own value.

`apps.` stands for `appManager.array.apps.N.`, in every spelling of Soketi's stores (`maxConnections`,
`max_connections`). With certificate and key, Soketi's names turn TLS on for the one port, as they do there.

Where these names or a JSON file give the app, these defaults of the other server are kept:
)";

std::string setting_of(const ForeignRow& row) {
  if (row.key.empty()) return "none: " + std::string(row.note);
  std::string out = "`" + std::string(row.key) + "`";
  if (row.convert == Convert::kLimit) out += ", -1: no limit";
  if (row.convert == Convert::kKibibytes) out += ", in KiB";
  if (row.convert == Convert::kMebibytes) out += ", in MiB";
  if (row.convert == Convert::kHost) out += ", its host";
  if (row.convert == Convert::kPort) out += ", its port";
  if (row.convert == Convert::kMetricsOn) out += ", true: on every address";
  if (row.convert == Convert::kDebug) out += ", true: `debug`";
  if (row.convert == Convert::kClientEvents) out += ", `none`: false";
  return out;
}

std::string code(std::string_view text) {
  return text.empty() ? std::string{} : "`" + std::string(text) + "`";
}

}  // namespace

std::string foreign_markdown() {
  std::string out(kText);
  for (const Dialect dialect : {Dialect::kSoketi, Dialect::kReverb}) {
    out += "- " + std::string(dialect_name(dialect)) + ":";
    std::string_view comma = " ";
    for (const ForeignDefault& entry : foreign_defaults()) {
      if (entry.dialect != dialect) continue;
      out += std::string(comma) + "`" + std::string(entry.key) + "` " + std::string(entry.value);
      comma = ", ";
    }
    out += ".\n";
  }
  out += "\n| variable | option of Soketi's JSON | setting |\n|---|---|---|\n";
  for (const ForeignRow& row : foreign_table())
    out += "| " + code(row.variable) + " | " + code(row.option) + " | " + setting_of(row) + " |\n";
  return out;
}

}  // namespace kilat::config
