// How a schema row reaches its member: builders for schema.cc, nothing else includes this.
// Every builder takes the member as template arguments, <section, member> or <member of AppSettings>, and refuses at
// compile time a range that the member's type cannot hold.
#pragma once

#include <charconv>
#include <concepts>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

#include "config/listen.h"
#include "config/schema.h"
#include "config/text_rules.h"

namespace kilat::config {

template <auto Section, auto Member>
auto& member_of(auto& settings, auto& app) {
  if constexpr (requires { app.*Section; }) {
    return app.*Section.*Member;
  } else {
    return settings.*Section.*Member;
  }
}

template <auto Member>
auto& member_of(auto&, auto& app) {
  return app.*Member;
}

template <typename T>
void assign(const Row& row, T& field, const Value& value) {
  if constexpr (std::is_enum_v<T>) {
    for (size_t i = 0; i < row.choices.size(); ++i) {
      if (row.choices[i] == std::get<std::string>(value)) field = static_cast<T>(i);
    }
  } else if constexpr (std::integral<T> && !std::same_as<T, bool>) {
    if (const auto* choice = std::get_if<std::string>(&value)) {
      std::from_chars(choice->data(), choice->data() + choice->size(), field);
    } else {
      field = static_cast<T>(std::get<uint64_t>(value));
    }
  } else {
    field = std::get<T>(value);
  }
}

template <typename T>
Value read(const Row& row, const T& field) {
  if constexpr (std::is_enum_v<T>) {
    return std::string(row.choices[static_cast<size_t>(field)]);
  } else if constexpr (std::integral<T> && !std::same_as<T, bool>) {
    if (row.type == Type::kChoice) return std::to_string(field);
    return static_cast<uint64_t>(field);
  } else {
    return field;
  }
}

template <auto... Path>
constexpr Row bound_row(std::string_view key, Type type, std::string_view help, std::string_view example) {
  Row row;
  row.key = key;
  row.type = type;
  row.help = help;
  row.example = example;
  row.set = [](const Row& self, Settings& settings, hub::AppSettings& app, const Value& value) {
    assign(self, member_of<Path...>(settings, app), value);
  };
  row.get = [](const Row& self, const Settings& settings, const hub::AppSettings& app) {
    return read(self, member_of<Path...>(settings, app));
  };
  return row;
}

template <auto... Path>
consteval Row flag(std::string_view key, std::string_view help, std::string_view example = "true") {
  return bound_row<Path...>(key, Type::kBool, help, example);
}

template <auto... Path>
consteval Row number(std::string_view key, Unit unit, uint64_t min, uint64_t max, std::string_view help,
                     std::string_view example) {
  using Member =
      std::remove_cvref_t<decltype(member_of<Path...>(std::declval<Settings&>(), std::declval<hub::AppSettings&>()))>;
  if (max > std::numeric_limits<Member>::max() || min > max) throw "the member cannot hold this range";
  Row row = bound_row<Path...>(key, Type::kInteger, help, example);
  row.unit = unit;
  row.min = min;
  row.max = max;
  return row;
}

template <auto... Path>
consteval Row text(std::string_view key, Type type, uint64_t min, uint64_t max, std::string (*rule)(std::string&),
                   std::string_view help, std::string_view example) {
  Row row = bound_row<Path...>(key, type, help, example);
  row.min = min;
  row.max = max;
  row.rule = rule;
  return row;
}

template <auto... Path>
consteval Row text_list(std::string_view key, uint64_t max, std::string_view help, std::string_view example) {
  Row row = bound_row<Path...>(key, Type::kTextList, help, example);
  row.max = max;
  return row;
}

template <auto... Path>
consteval Row choice(std::string_view key, std::span<const std::string_view> choices, std::string_view help,
                     std::string_view example) {
  Row row = bound_row<Path...>(key, Type::kChoice, help, example);
  row.choices = choices;
  return row;
}

/// The same row, with a rule for each text.
consteval Row checked(std::string (*rule)(std::string&), Row row) {
  row.rule = rule;
  return row;
}

/// The same row, whose texts may be URLs with secrets in them.
consteval Row urls(Row row) {
  row.urls = true;
  return row;
}

/// The same row, put into effect by a reload.
consteval Row live(Row row) {
  row.needs_restart = false;
  return row;
}

/// The same row, with the reason for its bounds.
consteval Row because(std::string_view why, Row row) {
  row.why = why;
  return row;
}

/// The row of all addresses; a single plain one fills host and port and nothing else.
consteval Row listen_row(std::string_view key, uint64_t max, std::string_view help, std::string_view example) {
  Row row;
  row.key = key;
  row.type = Type::kTextList;
  row.max = max;
  row.help = help;
  row.example = example;
  row.rule = listen_entry_rule;
  row.set = [](const Row&, Settings& settings, hub::AppSettings&, const Value& value) {
    set_listen(settings.server, std::get<std::vector<std::string>>(value));
  };
  row.get = [](const Row&, const Settings& settings, const hub::AppSettings&) -> Value {
    return settings.server.listen;
  };
  return row;
}

}  // namespace kilat::config
