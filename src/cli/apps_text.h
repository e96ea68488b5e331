// What `kilat apps` prints of the apps in a database. Secrets are masked unless `with_secret`. Pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "store/app_store.h"

namespace kilat::cli {

/// "2026-11-21 09:14:00 UTC".
std::string utc_text(uint64_t unix_s);

/// A table, one line an app, with a heading; "no apps\n" when there are none.
std::string apps_table(std::span<const store::StoredApp> apps, uint64_t now_unix_s);

/// One app, one fact a line, each line behind `indent`.
std::string app_text(const store::StoredApp& app, bool with_secret, uint64_t now_unix_s, std::string_view indent = {});

/// One JSON object. Without `with_secret` it has no member for secrets at all.
std::string app_json(const store::StoredApp& app, bool with_secret, uint64_t now_unix_s);

}  // namespace kilat::cli
