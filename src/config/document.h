// A configuration on its way in: settings so far, where each was set, and what was wrong. Made by the TOML reader,
// completed by environment and flags, judged by validate(). Main thread.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "config/diagnostic.h"
#include "config/schema.h"
#include "config/settings.h"

namespace kilat::config {

struct Document {
  Settings settings;
  std::map<std::string, Place> places;  ///< "server.port", "app[0].key", and "app[0]" for its header
  Diagnostics diagnostics;
  bool foreign = false;      ///< from the file of another server, whose own rules of precedence hold
  bool stored_apps = false;  ///< the apps of apps.database are among those of `settings`

  /// The index in app keys of `places`.
  static std::string app_key(size_t index, std::string_view name = {}) {
    std::string out = "app[" + std::to_string(index) + "]";
    if (!name.empty()) out.append(".").append(name);
    return out;
  }
};

/// Puts `value` where `row` belongs, or adds what is wrong with it, at `place`. `app` is the index of the app for rows
/// of [[app]] (it must exist), and ignored for others.
void apply(Document& document, const Row& row, size_t app, Value value, const Place& place);

/// Adds one diagnostic for every rule that concerns more than one value: apps that lack id, key or secret, ids and keys
/// that occur twice, limits that contradict each other, apps of socketio that are not there, server.listen beside host
/// or port.
void validate(Document& document);

}  // namespace kilat::config
