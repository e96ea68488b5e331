#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "cli/command.h"
#include "cli/reason_text.h"

namespace kilat::cli {

Action install_reasons(CLI::App& command) {
  struct Flags {
    bool json = false;
    bool markdown = false;
  };
  auto flags = std::make_shared<Flags>();
  auto* json = command.add_flag("--json", flags->json, "As a JSON array");
  command.add_flag("--markdown", flags->markdown, "As a document (docs/reasons.md)")->excludes(json);
  return [flags] {
    std::string text = reasons_plain();
    if (flags->json) text = reasons_json();
    if (flags->markdown) text = reasons_markdown();
    std::fputs(text.c_str(), stdout);
    return 0;
  };
}

}  // namespace kilat::cli
