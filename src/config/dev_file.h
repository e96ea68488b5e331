// The app of development mode: made up at the first start, kept in ./.kilat/dev.toml so that its key survives a
// restart. Main thread. The folder has mode 0700 and the file 0600, since the file holds a secret.
#pragma once

#include <expected>
#include <filesystem>
#include <string>

namespace kilat::config {

struct DevFile {
  std::filesystem::path path;
  std::string text;      ///< its TOML
  bool created = false;  ///< by this call
};

/// The path inside `directory`.
std::filesystem::path dev_file_path(const std::filesystem::path& directory);

/// Reads the file, or creates it with a fresh key and secret from the kernel's randomness. Creation is atomic: of two
/// servers started at once both use the file of the first. A file that others can read is narrowed to 0600.
/// The error says what could not be done, and why.
std::expected<DevFile, std::string> open_dev_file(const std::filesystem::path& directory);

/// The whole text of a file of at most `bytes_max` bytes, or the reason it cannot be had.
std::expected<std::string, std::string> read_whole_file(const std::filesystem::path& path, size_t bytes_max);

}  // namespace kilat::config
