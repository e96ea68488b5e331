#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "cli/command.h"
#include "cli/command_text.h"
#include "cli/failure.h"

namespace kilat::cli {
namespace {

struct ManOptions {
  std::string page = "kilat";
  std::string directory;
};

int write_all(const CLI::App& program, const std::string& directory) {
  std::error_code code;
  std::filesystem::create_directories(directory, code);
  if (code) return report({"cannot create " + fit_for_terminal(directory), {}, code.message(), {}});
  for (const std::string& name : man_page_names(program)) {
    const std::filesystem::path path = std::filesystem::path(directory) / (name + "." + std::string(man_section(name)));
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << man_page(program, name);
    if (!file.flush())
      return report({"cannot write " + fit_for_terminal(path.string()), {}, std::strerror(errno), {"--directory DIR"}});
  }
  return 0;
}

int man(const CLI::App& program, const ManOptions& options) {
  if (!options.directory.empty()) return write_all(program, options.directory);
  const std::string text = man_page(program, options.page);
  if (text.empty()) {
    std::string names;
    for (const std::string& name : man_page_names(program)) names += (names.empty() ? "" : ", ") + name;
    return report(
        {"no manual page is called " + fit_for_terminal(options.page), {}, "there are: " + names, {"kilat man"}});
  }
  std::fputs(text.c_str(), stdout);
  return 0;
}

}  // namespace

Action install_man(CLI::App& command) {
  auto options = std::make_shared<ManOptions>();
  command.add_option("PAGE", options->page, "A command, or kilat.toml for the settings")->capture_default_str();
  command.add_option("--directory", options->directory, "Write every page into this folder")->type_name("DIR");
  const CLI::App* program = command.get_parent();
  return [options, program] { return man(*program, *options); };
}

}  // namespace kilat::cli
