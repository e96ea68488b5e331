// A configuration from anywhere: every one ends in settings within the bounds of the schema, or in messages fit for a
// terminal. Input that begins with the byte 1 chooses rows of the schema and values at, within and beyond their bounds,
// in a file, in the environment and as flags, because bytes alone hardly ever spell a key; all other input is the text
// of a file, TOML or Soketi's JSON, and of a .env file.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/diff.h"
#include "config/document.h"
#include "config/dotenv.h"
#include "config/foreign.h"
#include "config/overrides.h"
#include "config/schema.h"
#include "config/soketi_json.h"
#include "config/toml_reader.h"
#include "fuzz/require.h"

namespace {

using namespace kilat::config;
using kilat::testing::require;

class Input {
 public:
  explicit Input(std::string_view left) : left_(left) {}
  bool empty() const { return left_.empty(); }
  size_t below(size_t bound) { return byte() % bound; }
  uint8_t byte() {
    if (left_.empty()) return 0;
    const auto value = static_cast<uint8_t>(left_.front());
    left_.remove_prefix(1);
    return value;
  }
  std::string text() {
    const std::string piece(left_.substr(0, below(40)));
    left_.remove_prefix(piece.size());
    return piece;
  }

 private:
  std::string_view left_;
};

// A basic string of TOML; controls and everything above ASCII as they come, so that bad UTF-8 is among it.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string number_near(const Row& row, Input& input) {
  const uint64_t middle = row.min + (row.max - row.min) / 2;
  switch (input.below(8)) {
    case 0: return std::to_string(row.min);
    case 1: return std::to_string(row.max);
    case 2: return std::to_string(row.max + 1);
    case 3: return row.min == 0 ? "-1" : std::to_string(row.min - 1);
    case 4: return std::to_string(middle);
    case 5: return std::to_string(input.byte());
    case 6: return "18446744073709551616";
    default: return std::to_string(input.byte()) + "." + std::to_string(input.byte());
  }
}

std::string with_unit(const std::string& number, Input& input) {
  constexpr std::string_view kUnits[] = {"", "B", "KiB", "MiB", "GiB", "TiB", "ms", "s", "m", "h", "KB", " s", "%"};
  return number + std::string(kUnits[input.below(std::size(kUnits))]);
}

// A value as people write it, without the quotes of TOML.
std::string plain_value(const Row& row, Input& input) {
  switch (input.below(6)) {
    case 0: return number_near(row, input);
    case 1: return with_unit(number_near(row, input), input);
    case 2: return std::string(row.choices.empty() ? "true" : row.choices[input.below(row.choices.size())]);
    case 3: return std::string(std::min<size_t>(row.max, 5'000) + input.below(3), 'x');
    case 4: return input.text();
    default: return "127.0.0.1:" + std::to_string(256 * input.below(256) + input.byte()) + " tls";
  }
}

// Within the bounds, so that enough configurations are accepted for check_settings.
std::string valid_value(const Row& row, Input& input) {
  if (row.type == Type::kBool) return input.below(2) == 0 ? "true" : "false";
  if (row.type == Type::kChoice) return quoted(row.choices[input.below(row.choices.size())]);
  if (row.type != Type::kInteger) return std::string(row.example);
  const size_t place = input.below(3);
  return std::to_string(place == 0 ? row.min : place == 1 ? row.max : row.min + (row.max - row.min) / 2);
}

std::string toml_value(const Row& row, Input& input) {
  if (input.below(16) != 0) return valid_value(row, input);
  switch (input.below(6)) {
    case 0: return std::string(row.example);
    case 1: return number_near(row, input);
    case 2: return input.below(2) == 0 ? "true" : "false";
    case 3: {
      std::string out = "[";
      for (size_t i = input.below(4) * input.below(50); i > 0; --i) out += quoted(plain_value(row, input)) + ",";
      return out + "]";
    }
    case 4: return "{ a = " + number_near(row, input) + " }";
    default: return quoted(plain_value(row, input));
  }
}

const Row& any_row(Input& input) {
  return schema()[(256 * input.below(256) + input.byte()) % schema().size()];
}

std::string structured_file(Input& input) {
  std::string out;
  std::string_view section;
  for (size_t left = input.below(input.below(4) == 0 ? 64 : 12); left > 0 && !input.empty(); --left) {
    const Row& row = any_row(input);
    // Now and then the same section once more: a second app, or an error of TOML.
    if (row.section() != section || input.below(8) == 0) {
      section = row.section();
      const std::string name(section);
      out += row.of_app() ? "[[app]]\n" : "[" + name + "]\n";
      if (row.of_app() && input.below(4) != 0) {
        const std::string id = std::to_string(input.below(6));
        out += "id = \"" + id + "\"\nkey = \"k" + id + "\"\nsecret = \"s\"\n";
      }
    }
    out += std::string(row.name()) + (input.below(32) == 0 ? "x" : "") + " = " + toml_value(row, input) + "\n";
  }
  return out;
}

void apply_some_overrides(Document& document, Input& input) {
  if (input.below(4) != 0) return;
  std::vector<std::string> environment;
  for (size_t left = input.below(8); left > 0; --left) {
    const Row& row = any_row(input);
    environment.push_back(variable_of(row) + (input.below(16) == 0 ? "X" : "") + "=" + plain_value(row, input));
  }
  Diagnostics warnings;
  apply_overrides(document, environment_overrides(environment, warnings));
  for (const Diagnostic& warning : warnings) add(document.diagnostics, warning);
  std::vector<Override> flags;
  for (size_t left = input.below(4); left > 0; --left) {
    const Row& row = any_row(input);
    const auto scope = static_cast<AppScope>(input.below(3));
    flags.push_back({std::string(row.key), plain_value(row, input), "--flag", scope});
  }
  apply_overrides(document, flags);
}

// Whatever is accepted lies within the bounds of its row.
void check_bounds(const Row& row, const Settings& settings, const kilat::hub::AppSettings& app) {
  const Value value = row.get(row, settings, app);
  if (row.type == Type::kInteger) {
    const auto number = std::get<uint64_t>(value);
    require(number >= row.min && number <= row.max);
  } else if (row.type == Type::kChoice) {
    require(std::ranges::find(row.choices, std::get<std::string>(value)) != row.choices.end());
  } else if (row.type == Type::kTextList) {
    require(std::get<std::vector<std::string>>(value).size() <= row.max);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    require(text->size() <= row.max);
  }
}

void check_settings(const Settings& settings) {
  static const kilat::hub::AppSettings kNoApp;
  for (const Row& row : schema()) {
    if (!row.of_app()) check_bounds(row, settings, kNoApp);
    if (!row.of_app()) continue;
    for (const kilat::hub::AppSettings& app : settings.apps) check_bounds(row, settings, app);
  }
  // A reload from the defaults: what it may not change stays, and all else is as wanted.
  const Settings before;
  require(diff(settings, settings).empty());
  const Settings live = live_part(before, settings);
  for (const Change& change : diff(before, live)) require(!change.needs_restart);
  for (const Change& change : diff(live, settings)) require(change.needs_restart);
}

void check(Document& document) {
  validate(document);
  require(document.diagnostics.size() <= kDiagnosticsMax);
  for (const char c : render(document.diagnostics)) require(static_cast<unsigned char>(c) >= 0x20 || c == '\n');
  const bool refused =
      std::ranges::any_of(document.diagnostics, [](const Diagnostic& one) { return one.severity == Severity::kError; });
  if (!refused) check_settings(document.settings);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.starts_with('\x01')) {
    Input input(text.substr(1));
    const std::string file = structured_file(input);
    Document document = read_toml(file, "kilat.toml");
    apply_some_overrides(document, input);
    check(document);
    return 0;
  }
  Document document = is_soketi_json(text) ? read_soketi_json(text, "config.json") : read_toml(text, "kilat.toml");
  const ForeignSettings foreign = foreign_environment(parse_dotenv(text, {}));
  for (const Diagnostic& warning : foreign.warnings) add(document.diagnostics, warning);
  apply_foreign(document, foreign);
  check(document);
  return 0;
}
