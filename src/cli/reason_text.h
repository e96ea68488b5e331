// The table of refusals and closes as documents. Pure; any thread.
#pragma once

#include <string>

namespace kilat::cli {

/// docs/reasons.md as it must be.
std::string reasons_markdown();

/// An array of {id, text, pusher_code, close_code, http_status, client, remedy}; pusher_code is null where a
/// `pusher:error` with "code":null is sent and 0 where none is sent.
std::string reasons_json();

/// Columns for a terminal.
std::string reasons_plain();

}  // namespace kilat::cli
