// Asking the running server to read its configuration again, for `kilat reload` and for commands that change what is
// configured. Main thread.
#pragma once

#include <cstdio>

#include "cli/running.h"

namespace kilat::cli {

/// Finds the server, signals it, waits a minute at most for the outcome and prints it: to `out` when something or
/// nothing was changed as wanted, to standard error when the server refused. Returns the exit code.
int request_reload(const RunningOptions& options, std::FILE* out);

}  // namespace kilat::cli
