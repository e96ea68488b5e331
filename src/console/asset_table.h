// The table behind find_asset(): the bundled files from a source that the build generates (web/embed.mjs), or
// an empty one in a build without the page. Static, read-only, shared by all shards.
#pragma once

#include <span>

#include "console/assets.h"

namespace kilat::console {

/// Every embedded file, in no promised order: there are fewer than ten. Any thread.
std::span<const Asset> asset_table();

}  // namespace kilat::console
