// A JSON object as a flat list of values with their places. Pure function; any thread.
// Bounds: kFileBytesMax of text by the caller, nesting of 32.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.h"
#include "config/source_text.h"

namespace kilat::config {

struct JsonLeaf {
  std::string path;  ///< "appManager.array.apps.0.id", whether the keys were nested or dotted
  std::string text;  ///< a string without quotes, a list of plain values with commas, [] when empty, else as written
  Place place;       ///< of the value
};

/// All values in the order of the text. What is wrong with the text goes to `diagnostics`.
std::vector<JsonLeaf> json_leaves(std::string_view text, const SourceText& source, Diagnostics& diagnostics);

}  // namespace kilat::config
