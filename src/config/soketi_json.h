// Soketi's JSON configuration (`soketi start --config FILE`) to a Document, by the table of foreign names. Main thread.
#pragma once

#include <string_view>

#include "config/document.h"

namespace kilat::config {

/// Whether a configuration is Soketi's: its text begins with "{", which no TOML does.
bool is_soketi_json(std::string_view text);

/// Reads `text`, keys nested or dotted; `file` is the name used in messages. Never fails: what is wrong or cannot be
/// honoured stands in Document::diagnostics. Does not call validate().
Document read_soketi_json(std::string_view text, std::string_view file);

}  // namespace kilat::config
