#include "config/starter.h"

#include <string_view>

#include "base/json_text.h"
#include "config/credentials.h"
#include "config/schema.h"

namespace kilat::config {
namespace {

// One setting as a comment: what it does, and the line that sets it.
std::string shown(std::string_view key) {
  const Row& row = *find_row(key);
  return "\n# " + std::string(row.help) + "\n# " + std::string(row.name()) + " = " + std::string(row.example) + "\n";
}

}  // namespace

std::string starter_file(const StarterOptions& options) {
  std::string out =
      "# Kilat. All settings: kilat man kilat.toml | man -l -      Is this file right? kilat check kilat.toml\n"
      "# It holds a secret: chmod 600 kilat.toml, and keep it out of version control.\n"
      "\n"
      "[server]\n"
      "# 127.0.0.1: this machine only, for example behind a proxy (kilat env nginx). 0.0.0.0: everybody.\n";
  out += "listen = " + json_string(options.listen) + "\n";
  out += shown("server.max_connections");
  out +=
      "\n# One [[app]] for each application. Applications sign with the secret; browsers only know the key.\n"
      "[[app]]\n";
  out += "id = " + json_string(options.app_id) + "\n";
  out += "key = " + json_string(fresh_key()) + "\n";
  out += "secret = " + json_string(fresh_secret()) + "\n";
  for (const std::string_view key : {"app.client_events", "app.allowed_origins", "app.max_connections"})
    out += shown(key);
  return out;
}

}  // namespace kilat::config
