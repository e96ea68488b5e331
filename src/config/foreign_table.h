// The one table of foreign names: settings of Soketi, Reverb and Laravel, and what Kilat makes of them, so that a user
// can swap the server and keep the environment. Immutable; any thread may read it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace kilat::config {

enum class Dialect : uint8_t {
  kNone,
  kSoketi,   ///< SOKETI_* variables, and the JSON file of `soketi start --config`
  kReverb,   ///< REVERB_*
  kLaravel,  ///< PUSHER_APP_*: only where nothing else gives an app
};

enum class Convert : uint8_t {
  kAsIs,
  kNumber,        ///< brought into the range of the row, with a warning
  kLimit,         ///< the same; -1 is "no limit"
  kKibibytes,     ///< number of KiB, also a fraction, to bytes
  kMebibytes,     ///< number of MiB
  kPath,          ///< gets its slash in front
  kHost,          ///< the host part of an address, whose port stays
  kPort,          ///< the reverse
  kMetricsOn,     ///< true: on every address
  kDebug,         ///< true becomes the level "debug"
  kClientEvents,  ///< Reverb's all, members, none
};

struct ForeignRow {
  Dialect dialect = Dialect::kNone;
  std::string_view variable;  ///< "SOKETI_PORT"; with * at its end every name that begins so; may be empty
  std::string_view option;    ///< of Soketi's JSON: "port", likewise; "apps.id" stands for each app's own
  std::string_view key;       ///< of the schema; empty where Kilat has nothing like it
  Convert convert = Convert::kAsIs;
  std::string_view fine;  ///< without a key: values, comma-separated, that lose nothing; * for all
  std::string_view note;  ///< without a key: what happens instead

  bool of_one_app() const { return option.starts_with("apps.") || variable.find("_APP_") != std::string_view::npos; }
};

/// A value that the other server has by default where Kilat's is stricter. Counts where its names give the app.
struct ForeignDefault {
  Dialect dialect = Dialect::kNone;
  std::string_view key;
  std::string_view value;
};

std::span<const ForeignRow> foreign_table();
std::span<const ForeignDefault> foreign_defaults();

/// "Soketi", "Reverb", "Laravel".
std::string_view dialect_name(Dialect dialect);

/// The row of a variable: the one with this very name, else the longest that ends in * and matches. Null if none.
const ForeignRow* find_foreign_variable(std::string_view variable);

/// The same for an option of Soketi's JSON file. The names of an app's own options are taken in every spelling that
/// Soketi's stores have: maxConnections, MaxConnections, max_connections.
const ForeignRow* find_foreign_option(std::string_view option);

}  // namespace kilat::config
