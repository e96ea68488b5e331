// The reference of all settings, made from the schema table. Any thread.
#pragma once

#include <string>

namespace kilat::config {

/// docs/configuration.md as it must be.
std::string reference_markdown();

}  // namespace kilat::config
