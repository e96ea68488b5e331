#include "console/assets.h"

#include "console/asset_table.h"

namespace kilat::console {

const Asset* find_asset(std::string_view path) {
  if (path == "/live/index.html") path = "/live/";
  for (const Asset& asset : asset_table()) {
    if (asset.path == path) return &asset;
  }
  return nullptr;
}

}  // namespace kilat::console
