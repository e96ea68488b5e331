// The reference of all settings, made from the schema table. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kilat::config {

/// One setting as readers see it.
struct ReferenceEntry {
  std::string_view name;  ///< without its section
  std::string values;     ///< type and range
  std::string standard;   ///< the default as TOML writes it, or "required"
  std::string_view example;
  std::string_view help;
  std::string_view why;  ///< of the bounds; may be empty
  bool needs_restart = true;
};

struct ReferenceSection {
  std::string name;  ///< as a file writes it: "[server]", "[[app]]"
  std::string_view help;
  std::vector<ReferenceEntry> entries;
};

/// All sections in the order of the schema.
std::vector<ReferenceSection> reference_sections();

/// Where settings come from, in plain paragraphs (Markdown's backticks apart).
std::string_view reference_introduction();

/// A small file.
std::string_view reference_example();

/// docs/configuration.md as it must be.
std::string reference_markdown();

}  // namespace kilat::config
