// The web pages that the binary carries. Static, read-only, shared by all shards; views live as long as the program.
#pragma once

#include <string_view>

namespace kilat::console {

struct Asset {
  std::string_view path;  ///< as in the URL without the server's path prefix: "/live/live.js"
  std::string_view content_type;
  std::string_view etag;  ///< strong, with its quotes (RFC 9110 section 8.8.3): changes with every change of `body`
  std::string_view body;
};

/// The file behind a URL path (percent-decoded, without query and path prefix), or null. `/live/` and
/// `/live/index.html` are the page itself. Null for every path in a build with KILAT_WEB=OFF. Any thread.
const Asset* find_asset(std::string_view path);

}  // namespace kilat::console
