// The files that app.jwt_keys names, with the public keys of tokens: where they are, and whether they can be used.
// Main thread, at start, at a reload, and for `kilat check`; read_key_file() any thread.
#pragma once

#include <expected>
#include <filesystem>
#include <string>

#include "config/document.h"

namespace kilat::config {

/// Makes the files of app.jwt_keys absolute: what the configuration file says counts from its folder, all else from
/// `working_directory`. URLs stay.
void place_key_files(Document& document, const std::filesystem::path& working_directory);

/// Reads them all; an error in the document for each that cannot be used.
void check_key_files(Document& document);

/// The text of one file, when it holds keys that tokens can be checked with; else why not, with the path and without
/// anything of the file.
std::expected<std::string, std::string> read_key_file(const std::string& path);

}  // namespace kilat::config
