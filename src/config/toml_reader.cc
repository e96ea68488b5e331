#include "config/toml_reader.h"

// toml++ 3.3 takes two things for granted that a file can break, both undefined behaviour in a release build: that a
// section name begins with a key character (asserted just before it is checked and reported as an error), and that no
// character of U+FB26 to U+FEFE stands where white space may be. Its checks then answer as they should when the
// assertions are left out and "unreachable" means "no". This is the only file that includes the library.
#define TOML_EXCEPTIONS 0
#define TOML_ASSERT(condition) static_assert(true)
#pragma push_macro("NDEBUG")
#undef NDEBUG
#include <toml++/impl/forward_declarations.h>
#pragma push_macro("TOML_UNREACHABLE")
#undef TOML_UNREACHABLE
#define TOML_UNREACHABLE return false
#include <toml++/impl/unicode.h>
#pragma pop_macro("TOML_UNREACHABLE")
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

#include <algorithm>
#include <utility>
#include <vector>

#include "base/utf8_repair.h"
#include "config/source_text.h"
#include "config/suggest.h"
#include "config/value.h"
#include "config/variables.h"

namespace kilat::config {
namespace {

constexpr size_t kAppsMax = 10'000;

std::string_view type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return "a list";
    case toml::node_type::string: return "a text";
    case toml::node_type::integer: return "a whole number";
    case toml::node_type::floating_point: return "a fraction";
    case toml::node_type::boolean: return "true or false";
    default: return "a date or time";
  }
}

class Reader {
 public:
  Reader(const SourceText& source, Document& document, std::span<const std::string> variables)
      : source_(source), document_(document), variables_(variables) {}

  void read(const toml::table& root) {
    for (const auto& [key, node] : root) {
      if (key.str() == "app") {
        read_apps(key, node);
      } else if (key.str() == "apps" && node.is_array()) {
        complain(at(key), "unknown key \"apps\" at the top of the file", "did you mean [[app]]?");
      } else if (!sections_.contains(key.str())) {
        unknown_section(key);
      } else if (const toml::table* table = node.as_table()) {
        read_section(*table, key.str(), 0);
      } else {
        complain(at(node), std::string(key.str()) + " must be a section", "write [" + std::string(key.str()) + "]");
      }
    }
  }

 private:
  void read_apps(const toml::key& key, const toml::node& node) {
    if (const toml::table* single = node.as_table()) return read_app(*single);
    const toml::array* list = node.as_array();
    const bool tables =
        list != nullptr && std::ranges::all_of(*list, [](const auto& entry) { return entry.is_table(); });
    if (!tables) return complain(at(key), "app must be a list of sections", "write [[app]]");
    if (list->size() > kAppsMax) return complain(at(key), "more than " + std::to_string(kAppsMax) + " apps");
    for (const toml::node& entry : *list) read_app(*entry.as_table());
  }

  void read_app(const toml::table& table) {
    const size_t index = document_.settings.apps.size();
    document_.settings.apps.emplace_back();
    document_.places[Document::app_key(index)] = at(table);
    read_section(table, "app", index);
  }

  void read_section(const toml::table& table, std::string_view section, size_t app) {
    for (const auto& [key, node] : table) {
      const std::string full = std::string(section) + "." + std::string(key.str());
      if (const Row* row = find_row(full)) {
        read_value(*row, app, node);
      } else {
        unknown_key(key, section);
      }
    }
  }

  void read_value(const Row& row, size_t app, const toml::node& node) {
    Place place = at(node);
    if (row.type == Type::kSecret) place.text.clear();
    auto value = convert(row, node);
    if (value) return apply(document_, row, app, std::move(*value), place);
    document_.places[row.of_app() ? Document::app_key(app, row.name()) : std::string(row.key)] = place;
    complain(std::move(place), std::string(row.key) + " " + value.error(),
             std::string("for example ") + std::string(row.name()) + " = " + std::string(row.example));
  }

  std::expected<Value, std::string> convert(const Row& row, const toml::node& node) const {
    const auto wrong = [&] {
      return std::unexpected("must be " + expected_form(row) + ", not " + std::string(type_name(node)));
    };
    if (row.type == Type::kBool && node.is_boolean()) return Value(**node.as_boolean());
    if (row.type == Type::kTextList) return convert_list(row, node);
    if (const auto* integer = node.as_integer()) {
      const int64_t number = **integer;
      if (row.type == Type::kId || row.type == Type::kChoice) return Value(std::to_string(number));
      if (row.type != Type::kInteger) return wrong();
      if (number >= 0) return Value(static_cast<uint64_t>(number));
      const bool unlimited = number == -1 && row.help.find("0: no limit") != std::string_view::npos;
      return std::unexpected("is " + std::to_string(number) + "; " +
                             (unlimited ? "0 means no limit" : "the smallest allowed is " + std::to_string(row.min)));
    }
    if (const auto* text = node.as_string()) {
      if (row.type == Type::kBool) return wrong();
      if (row.type == Type::kInteger && (row.unit == Unit::kNone || row.unit == Unit::kPerSecond)) return wrong();
      const auto whole = expand_variables(**text, variables_);
      if (!whole) return std::unexpected(whole.error());
      return parse_text(row, *whole);
    }
    return wrong();
  }

  std::expected<Value, std::string> convert_list(const Row& row, const toml::node& node) const {
    const toml::array* array = node.as_array();
    // A list of one may be written without its brackets.
    if (const auto* single = node.as_string()) {
      auto whole = expand_variables(**single, variables_);
      if (!whole) return std::unexpected(std::move(whole.error()));
      return Value(std::vector<std::string>{std::move(*whole)});
    }
    if (array == nullptr)
      return std::unexpected("must be " + expected_form(row) + ", not " + std::string(type_name(node)));
    std::vector<std::string> out;
    for (const toml::node& entry : *array) {
      const auto* text = entry.as_string();
      if (text == nullptr) return std::unexpected("must hold texts only, not " + std::string(type_name(entry)));
      auto whole = expand_variables(**text, variables_);
      if (!whole) return std::unexpected(std::move(whole.error()));
      out.push_back(std::move(*whole));
    }
    return Value(std::move(out));
  }

  void unknown_section(const toml::key& key) {
    const std::string name = readable(key.str());
    std::string hint;
    if (const std::string_view near = nearest(key.str(), sections_.names); !near.empty()) {
      hint = "did you mean " + bracketed(near) + "?";
    } else if (const Row* row = row_named(key.str())) {
      hint = "did you mean \"" + std::string(row->name()) + "\" in " + bracketed(row->section()) + "?";
    }
    complain(at(key), "unknown key \"" + name + "\" at the top of the file", std::move(hint));
  }

  void unknown_key(const toml::key& key, std::string_view section) {
    std::vector<std::string_view> known;
    for (const Row& row : schema()) {
      if (row.section() == section) known.push_back(row.name());
    }
    std::string hint;
    if (const Row* row = row_named(key.str()); row != nullptr) {
      hint = "did you mean \"" + std::string(row->name()) + "\" in " + bracketed(row->section()) + "?";
    } else if (const std::string_view near = nearest(key.str(), known); !near.empty()) {
      hint = "did you mean \"" + std::string(near) + "\"?";
    }
    complain(at(key), "unknown key \"" + readable(key.str()) + "\" in " + bracketed(section), std::move(hint));
  }

  static const Row* row_named(std::string_view name) {
    for (const Row& row : schema()) {
      if (row.name() == name) return &row;
    }
    return nullptr;
  }

  static std::string bracketed(std::string_view section) {
    return section == "app" ? "[[app]]" : "[" + std::string(section) + "]";
  }

  static std::string readable(std::string_view text) { return repair_utf8(cut_utf8(text, 64)); }

  Place at(const toml::node& node) const { return at(node.source()); }
  Place at(const toml::key& key) const { return at(key.source()); }
  Place at(const toml::source_region& region) const {
    const uint32_t width = region.end.line == region.begin.line && region.end.column > region.begin.column
                               ? region.end.column - region.begin.column
                               : 1;
    return source_.place(region.begin.line, region.begin.column, width);
  }

  void complain(Place place, std::string message, std::string hint = {}) {
    add(document_.diagnostics, {Severity::kError, std::move(place), std::move(message), std::move(hint), {}});
  }

  // The section names of the schema, once.
  struct Sections {
    std::vector<std::string_view> names;
    Sections() {
      for (const Row& row : schema()) {
        if (names.empty() || names.back() != row.section()) names.push_back(row.section());
      }
    }
    bool contains(std::string_view name) const { return std::ranges::find(names, name) != names.end(); }
  };

  const SourceText& source_;
  Document& document_;
  std::span<const std::string> variables_;
  Sections sections_;
};

// The library walks dotted keys by recursion without a bound of its own, so that bound is here.
bool too_deep(std::string_view text) {
  constexpr size_t kDotsMax = 256;
  size_t dots = 0;
  for (const char c : text) {
    if (c == '.') {
      if (++dots > kDotsMax) return true;
    } else if (c == '\n' || c == '=' || c == ',' || c == '[' || c == ']' || c == '{' || c == '}') {
      dots = 0;
    }
  }
  return false;
}

}  // namespace

Document read_toml(std::string_view text, std::string_view file, std::span<const std::string> variables) {
  Document document;
  const SourceText source(text, file);
  const auto refuse = [&](Place place, std::string message) {
    add(document.diagnostics, {Severity::kError, std::move(place), std::move(message), {}, {}});
    return std::move(document);
  };
  if (text.size() > kFileBytesMax) return refuse(source.place(0, 0, 1), "the file is larger than 1MiB");
  if (too_deep(text)) return refuse(source.place(0, 0, 1), "a key has more than 256 parts");

  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    const toml::source_position begin = error.source().begin;
    return refuse(source.place(begin.line, begin.column, 1), repair_utf8(cut_utf8(error.description(), 300)));
  }
  Reader(source, document, variables).read(parsed.table());
  sort_by_place(document.diagnostics);
  return document;
}

}  // namespace kilat::config
