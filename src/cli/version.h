// What this program is. Any thread.
#pragma once

#include <string_view>

namespace kilat::cli {

/// "0.1.0", as the build says.
std::string_view version();

}  // namespace kilat::cli
