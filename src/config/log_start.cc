#include "config/log_start.h"

#include <unistd.h>

#include "base/log.h"

namespace kilat::config {

bool human_output(const LogSettings& settings, int descriptor) {
  if (settings.format == LogFormat::kAuto) return ::isatty(descriptor) == 1;
  return settings.format == LogFormat::kHuman;
}

void start_log(const LogSettings& settings) {
  const bool human = human_output(settings, STDERR_FILENO);
  log::init(log::level_from(settings.level), human ? log::Format::kHuman : log::Format::kJson,
            human && ::isatty(STDERR_FILENO) == 1);
}

}  // namespace kilat::config
