// What changed between two configurations, setting by setting, from the schema table: for the reload (old and new) and
// for `kilat check --diff` (defaults and file). Plain values; any thread. Bound: the rows of the schema for the server
// and once more for each app.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/settings.h"

namespace kilat::config {

enum class ChangeKind : uint8_t {
  kSetting,     ///< one value
  kAppAdded,    ///< an id that `before` did not have; its values are not listed one by one
  kAppRemoved,  ///< an id that `after` does not have
};

struct Change {
  ChangeKind kind = ChangeKind::kSetting;
  std::string path;            ///< "server.shards", "app.shop.max_connections", "app.shop" for a whole app
  std::string before;          ///< as people read it: 5000, 64KiB, info; a secret is "…"; empty for a whole app
  std::string after;           ///< likewise
  std::string app_id;          ///< of the app; empty for settings of the server
  bool needs_restart = false;  ///< the column of the schema; apps come and go live
};

/// All differences, settings of the server first, in the order of the schema, then the apps in the order of `after`,
/// then removed ones. Apps are matched by id, so their order makes no difference.
std::vector<Change> diff(const Settings& before, const Settings& after);

/// "app.shop.max_connections 5000 -> 8000", "app.shop.secret changed", "app.shop added", "app.shop removed".
std::string describe(const Change& change);

/// `wanted` with the value of `running` in every setting that needs a restart: what a reload may put into effect.
Settings live_part(const Settings& running, const Settings& wanted);

}  // namespace kilat::config
