#include "config/reference.h"

#include <array>
#include <utility>

#include "config/foreign.h"
#include "config/schema.h"
#include "config/value.h"

namespace kilat::config {
namespace {

constexpr std::string_view kIntroduction =
    R"(Kilat reads `--config FILE`, else `./kilat.toml`, else `/etc/kilat/kilat.toml`. Without a file it takes the app from
`KILAT_APP_ID`, `KILAT_APP_KEY` and `KILAT_APP_SECRET`, else from the variables of Soketi, Reverb or Laravel; without
these it starts in development mode: on loopback only, with an app `dev` whose key and secret are kept in
`./.kilat/dev.toml`. `kilat init` prints a file to begin with, `kilat check` says what is wrong with one.

Flags override `KILAT_` variables, which override foreign variables, which override the file. Each setting has a
variable: `server.port` is `KILAT_SERVER_PORT`; lists are separated by commas there. The variables of `[[app]]` are for
set-ups with one app. An unknown key in the file is an error, an unknown variable a warning.

`${NAME}` in a text of the file is the environment variable of that name, so that secrets need not stand in the file;
where it is missing or empty, `${NAME:-text}` is the text, and `${NAME}` an error. `$${` stands for `${`.

Sizes are whole numbers of bytes or texts such as `"64KiB"`, `"1MiB"`, `"2GiB"`. Times are whole numbers of the unit in
their name (`_ms`, `_s`) or texts such as `"500ms"`, `"30s"`, `"5m"`, `"1h"`, `"7d"`.
)";

constexpr std::string_view kExample = R"([server]
listen = "0.0.0.0:6001"

[[app]]
id = "shop"
key = "a-public-key"
secret = "a long random text"
)";

// Sections with a line of their own; others stand with their name only.
constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kSections{{
    {"server", "where to listen"},
    {"http", "requests"},
    {"limits", "protection of the server"},
    {"metrics", "figures for Prometheus"},
    {"health", "when the server is not ready"},
    {"log", "lines on standard error"},
    {"socketio", "the second protocol (docs/socketio.md)"},
    {"apps", "apps that a command can change"},
    {"history", "events on disk (docs/history.md)"},
    {"ingest", "readings on disk (docs/ingest.md)"},
    {"app", "one section for each app"},
}};

std::string escaped(std::string text) {
  for (size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) text.insert(at, "\\");
  return text;
}

std::string range_text(const Row& row) {
  if (row.unit == Unit::kPerSecond) return std::to_string(row.min) + " to " + std::to_string(row.max) + " per second";
  std::string out = format_number(row, row.min) + " to " + format_number(row, row.max);
  if (row.unit == Unit::kBytes) out += " (bytes)";
  if (row.unit == Unit::kMilliseconds) out += " (ms)";
  if (row.unit == Unit::kSeconds) out += " (seconds)";
  return out;
}

std::string type_text(const Row& row) {
  switch (row.type) {
    case Type::kBool: return "true or false";
    case Type::kInteger: return range_text(row);
    case Type::kTextList: return "list of texts, at most " + std::to_string(row.max);
    case Type::kChoice: return expected_form(row);
    case Type::kText:
    case Type::kSecret: return "text, at most " + std::to_string(row.max) + " bytes";
    case Type::kId: return "text or whole number";
  }
  return {};
}

std::string default_text(const Row& row) {
  if (is_required(row)) return "required";
  if (row.type == Type::kSecret) return "\"\"";  // there is nothing to hide yet
  return format_value(row, row.get(row, Settings{}, hub::AppSettings{}));
}

std::string table_row(const ReferenceEntry& entry) {
  std::string standard = escaped(entry.standard);
  if (standard != "required") standard = "`" + standard + "`";
  std::string help(entry.help);
  if (!entry.why.empty()) help += " Bounds: " + std::string(entry.why) + ".";
  return "| `" + std::string(entry.name) + "` | " + escaped(entry.values) + " | " + standard + " | `" +
         escaped(std::string(entry.example)) + "` | " + escaped(std::move(help)) + " | " +
         (entry.needs_restart ? "restart" : "reload") + " |\n";
}

}  // namespace

std::vector<ReferenceSection> reference_sections() {
  std::vector<ReferenceSection> out;
  std::string_view section;
  for (const Row& row : schema()) {
    if (out.empty() || row.section() != section) {
      section = row.section();
      const std::string name = "[" + std::string(section) + "]";
      out.push_back({row.of_app() ? "[" + name + "]" : name, {}, {}});
      for (const auto& [known, help] : kSections) {
        if (known == section) out.back().help = help;
      }
    }
    out.back().entries.push_back(
        {row.name(), type_text(row), default_text(row), row.example, row.help, row.why, row.needs_restart});
  }
  return out;
}

std::string_view reference_introduction() {
  return kIntroduction;
}

std::string_view reference_example() {
  return kExample;
}

std::string reference_markdown() {
  std::string out =
      "# Configuration\n\n"
      "<!-- Made by `kilat config --markdown`: edit the tables in src/config/schema.cc and foreign_table.cc instead. "
      "-->\n\n";
  out += kIntroduction;
  out += "\n```toml\n" + std::string(kExample) +
         "```\n\nThe last column of the tables says when a change takes effect: at the next *reload*, or only after a "
         "*restart*.\n";
  for (const ReferenceSection& section : reference_sections()) {
    out += "\n## " + section.name;
    if (!section.help.empty()) out += ": " + std::string(section.help);
    out += "\n\n| key | values | default | example | meaning | change |\n|---|---|---|---|---|---|\n";
    for (const ReferenceEntry& entry : section.entries) out += table_row(entry);
  }
  return out + foreign_markdown();
}

}  // namespace kilat::config
