// Environment variables of Soketi, Reverb and Laravel, taken for settings of Kilat by the table of foreign_table.h.
// What cannot be honoured becomes a warning that names it. Main thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/document.h"
#include "config/foreign_table.h"
#include "config/overrides.h"

namespace kilat::config {

struct ForeignSettings {
  Dialect dialect = Dialect::kNone;  ///< whose names are there; one with a whole app goes before one without
  bool has_app = false;              ///< id, key and secret are all given
  std::vector<Override> overrides;   ///< in the order of the table
  Diagnostics warnings;
};

/// Reads the foreign names in `environment` ("NAME=value" entries; the first of a name counts). One dialect is taken:
/// the first of Soketi, Reverb and Laravel that gives a whole app, else the first of Soketi and Reverb that gives
/// anything; names of the other are warned about.
ForeignSettings foreign_environment(std::span<const std::string> environment);

/// Applies `given` above what the document has: variables of one app to the first app, those for all to every app that
/// has no value of its own. Values of an app are left out with a warning where the document has several from TOML.
/// Where a line of TOML is overridden, a warning says so.
void apply_foreign(Document& document, const ForeignSettings& given);

/// Sets what `dialect` has for settings of the server where Kilat's own defaults are stricter; with `app`, an index,
/// for that app. These count as defaults: they have no place.
void set_defaults(Document& document, Dialect dialect, std::optional<size_t> app);

/// Puts a value in the schema's words, or half an address from Convert::kHost or kPort, where `row` belongs.
void apply_converted(Document& document, const Row& row, size_t app, std::string text, const Place& place);

/// Soketi speaks TLS on its port as soon as it has certificate and key; so does Kilat when they came from its names.
void listen_as_soketi(Document& document);

/// What a raw value of `row` is in the schema's own words. Nothing where it means "the default"; `warning` becomes the
/// rest of a sentence that begins with the name, where something is lost.
std::optional<std::string> converted(const ForeignRow& row, std::string_view raw, std::string& warning);

/// Whether a row without a key loses something at this value.
bool loses(const ForeignRow& row, std::string_view raw);

/// The part of docs/configuration.md about these names.
std::string foreign_markdown();

}  // namespace kilat::config
