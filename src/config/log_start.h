// The log as the settings want it. Main thread, at start.
#pragma once

#include "config/settings.h"

namespace kilat::config {

/// Whether lines to `descriptor` are for people.
bool human_output(const LogSettings& settings, int descriptor);

/// From now on the log goes to standard error, as the settings say.
void start_log(const LogSettings& settings);

}  // namespace kilat::config
