// TOML text to a Document, by the schema table. The only place that knows the TOML library. Main thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config/document.h"

namespace kilat::config {

inline constexpr size_t kFileBytesMax = 1024 * 1024;

/// Reads `text`; `file` is the name used in messages, `variables` ("NAME=value") are what ${NAME} may stand for. Never
/// fails: what is wrong stands in Document::diagnostics, all of it at once (a syntax error ends the reading, since
/// nothing after it can be trusted). Does not call validate().
Document read_toml(std::string_view text, std::string_view file, std::span<const std::string> variables = {});

}  // namespace kilat::config
