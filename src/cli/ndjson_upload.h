// Handing readings from a file or a pipe to durable ingest, in requests of some lines each. Main thread of a command.
// Bounds: kRequestBytes a request, a line of kLineBytesMax; a request is tried kTries times, with one idempotency key.
#pragma once

#include <cstddef>
#include <string>

#include "cli/target.h"

namespace kilat::cli {

/// Exit code. `file`: "-" for standard input; what comes in is sent as soon as nothing more is there. A line that is
/// not a reading ends it, and its request is not taken; with `skip_invalid` it is left out and counted.
int upload_ndjson(const TargetOptions& target, const std::string& file, bool skip_invalid);

}  // namespace kilat::cli
