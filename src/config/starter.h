// The configuration file to begin with: minimal, commented, valid. Any thread.
#pragma once

#include <string>

namespace kilat::config {

struct StarterOptions {
  std::string listen = "127.0.0.1:6001";
  std::string app_id = "app";
};

/// TOML with one app, whose key and secret are fresh. The settings it shows as comments come from the schema table:
/// each is a line "# name = value" that is valid once the "# " is taken away.
std::string starter_file(const StarterOptions& options);

}  // namespace kilat::config
