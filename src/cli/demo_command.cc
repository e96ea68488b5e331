// The four systems of examples/, shown by a program of their own, so that the server does not carry them.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"

namespace kilat::cli {
namespace {

constexpr const char* kProgram = "kilat-demo";

int become_demo(const std::vector<std::string>& options) {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::string program = (self.parent_path() / kProgram).string();
  std::vector<char*> arguments{const_cast<char*>(program.c_str())};
  for (const std::string& option : options) arguments.push_back(const_cast<char*>(option.c_str()));
  arguments.push_back(nullptr);
  ::execv(program.c_str(), arguments.data());
  std::fprintf(stderr,
               "error: cannot run %s: %s\n"
               "  try   ./run demo, which builds it\n"
               "  or    cmake --build build/release --target kilat_demo\n",
               program.c_str(), std::strerror(errno));
  return 1;
}

}  // namespace

Action install_demo(CLI::App& command) {
  struct Options {
    std::string host;
    std::string port;
    std::string data;
  };
  auto options = std::make_shared<Options>();
  command.add_option("--host", options->host, "Address to listen on");
  command.add_option("--port", options->port, "Port of the page that shows them all: 8000");
  command.add_option("--data", options->data, "Folder of the databases; without it all is forgotten at the end");
  return [options] {
    std::vector<std::string> given;
    for (const auto& [name, value] :
         {std::pair{"--host", options->host}, std::pair{"--port", options->port}, std::pair{"--data", options->data}}) {
      if (!value.empty()) given.insert(given.end(), {name, value});
    }
    return become_demo(given);
  };
}

}  // namespace kilat::cli
