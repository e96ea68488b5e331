#include "config/reference.h"

#include <algorithm>
#include <string_view>

#include "config/overrides.h"
#include "config/schema.h"
#include "config/value.h"

namespace kilat::config {
namespace {

constexpr std::string_view kIntroduction = R"(# Configuration

<!-- Made by `kilat config --markdown`: edit the table in src/config/schema.cc instead. -->

Kilat reads `--config FILE`, else `./kilat.toml`, else `/etc/kilat/kilat.toml`. Without a file it takes the app from
`KILAT_APP_ID`, `KILAT_APP_KEY` and `KILAT_APP_SECRET`; without these it starts in development mode: on loopback only,
with an app `dev` whose key and secret are kept in `./.kilat/dev.toml`.

Flags override environment variables, which override the file. Each setting has a variable: `server.port` is
`KILAT_SERVER_PORT`; lists are separated by commas there. The variables of `[[app]]` are for set-ups with one app.
Sizes are whole numbers of bytes or texts such as `"64KiB"`, `"1MiB"`, `"2GiB"`. An unknown key is an error.

```toml
[server]
listen = "0.0.0.0:6001"

[[app]]
id = "shop"
key = "a-public-key"
secret = "a long random text"
```
)";

std::string heading(std::string_view section) {
  if (section == "server") return "[server]: where to listen";
  if (section == "http") return "[http]: requests";
  if (section == "limits") return "[limits]: protection of the server";
  if (section == "log") return "[log]: lines on standard error";
  return "[[app]]: one section for each app";
}

std::string escaped(std::string text) {
  for (size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) text.insert(at, "\\");
  return text;
}

std::string type_text(const Row& row) {
  switch (row.type) {
    case Type::kBool: return "true or false";
    case Type::kInteger: {
      std::string_view unit;
      if (row.unit == Unit::kMilliseconds) unit = " ms";
      if (row.unit == Unit::kSeconds) unit = " s";
      if (row.unit == Unit::kPerSecond) unit = " per second";
      if (row.unit == Unit::kBytes) return format_size(row.min) + " to " + format_size(row.max) + " (bytes)";
      return std::to_string(row.min) + " to " + std::to_string(row.max) + std::string(unit);
    }
    case Type::kTextList: return "list of texts, at most " + std::to_string(row.max);
    case Type::kChoice: return expected_form(row);
    case Type::kText:
    case Type::kSecret: return "text, at most " + std::to_string(row.max) + " bytes";
    case Type::kId: return "text or whole number";
  }
  return {};
}

std::string default_text(const Row& row) {
  const std::string_view name = row.name();
  if (row.of_app() && (name == "id" || name == "key" || name == "secret")) return "required";
  return "`" + format_value(row, row.get(row, Settings{}, hub::AppSettings{})) + "`";
}

}  // namespace

std::string reference_markdown() {
  std::string out(kIntroduction);
  const bool all_restart = std::ranges::all_of(schema(), &Row::needs_restart);
  if (all_restart) out += "\nA change takes effect at the next start.\n";
  std::string_view section;
  for (const Row& row : schema()) {
    if (row.section() != section) {
      section = row.section();
      out += "\n## " + heading(section) + "\n\n";
      out += all_restart ? "| key | values | default | example | meaning |\n|---|---|---|---|---|\n"
                         : "| key | values | default | example | meaning | change |\n|---|---|---|---|---|---|\n";
    }
    out += "| `" + std::string(row.name()) + "` | " + escaped(type_text(row)) + " | " + escaped(default_text(row)) +
           " | `" + escaped(std::string(row.example)) + "` | " + escaped(std::string(row.help)) + " |";
    if (!all_restart) out += row.needs_restart ? " at restart |" : " at reload |";
    out += "\n";
  }
  return out;
}

}  // namespace kilat::config
