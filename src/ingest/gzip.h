// Unpacking gzip bodies (RFC 1952), as a whole and bounded. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kilat::ingest {

/// What `packed` holds, several members one behind the other included. Errors: kIngestBodyInvalid where it is no whole
/// gzip, kHttpBodyTooLarge where it would be more than `bytes_max`.
Result<std::string> gunzip(std::string_view packed, size_t bytes_max);

}  // namespace kilat::ingest
