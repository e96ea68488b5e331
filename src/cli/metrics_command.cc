#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "cli/command.h"
#include "metrics/reference.h"

namespace kilat::cli {

Action install_metrics(CLI::App& command) {
  auto markdown = std::make_shared<bool>(false);
  command.add_flag("--markdown", *markdown, "As a document (docs/metrics.md)");
  return [markdown] {
    const std::string text = *markdown ? metrics::reference_markdown() : metrics::reference_plain();
    std::fputs(text.c_str(), stdout);
    return 0;
  };
}

}  // namespace kilat::cli
