#include "common/system.h"

#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <system_error>

#include "common/text.h"

namespace examples {
namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

void write_secret(const std::filesystem::path& file, const std::string& text) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const bool written =
      descriptor >= 0 && ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!written) throw std::system_error(error, std::generic_category(), file.string());
}

int serve(System& system, std::string_view title, const std::string& host) {
  if (const auto started = system.start(); !started) {
    std::fprintf(stderr, "%s\n", started.error().c_str());
    return 1;
  }
  std::printf("%s: http://%s:%u/\n", std::string(title).c_str(), host.c_str(), system.port());
  std::fflush(stdout);
  wait_for_stop_signal();
  system.stop();
  return 0;
}

}  // namespace

void add_options(CLI::App& command, Settings& settings) {
  settings.pages = KILAT_EXAMPLE_PAGES;
  settings.sources = KILAT_EXAMPLE_SOURCES;
  command.add_option("--host", settings.host, "Address to listen on")->capture_default_str();
  command.add_option("--port", settings.port, "Port; 0 lets the kernel pick one")->capture_default_str();
  command.add_option("--data", settings.data, "Folder of the databases; without it everything is forgotten at the end");
  command.add_option("--pages", settings.pages, "Folder of the built pages")->capture_default_str();
  command.add_option("--sources", settings.sources, "Folder with NAME/kilat.toml")->capture_default_str();
}

int run_program(int argc, char** argv, std::string_view title, std::uint16_t default_port, const MakeSystem& make) {
  Settings settings{.port = default_port, .data = {}, .pages = {}, .sources = {}};
  CLI::App command{std::string(title)};
  add_options(command, settings);
  command.add_option("--metrics", settings.metrics, "HOST:PORT of /metrics for Prometheus; without it there is none");
  CLI11_PARSE(command, argc, argv);
  block_stop_signals();
  try {
    const ScratchFolder scratch(settings.data);
    settings.data = scratch.path();
    return serve(*make(settings), title, settings.host);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", std::string(title).c_str(), error.what());
    return 1;
  }
}

ScratchFolder::ScratchFolder(const std::filesystem::path& wanted) : path_(wanted), temporary_(wanted.empty()) {
  if (temporary_) {
    std::string name = (std::filesystem::temp_directory_path() / "kilat-example-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), name);
    path_ = name;
  } else {
    std::filesystem::create_directories(path_);
  }
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (temporary_) std::filesystem::remove_all(path_, ignored);
}

std::string secret(const std::filesystem::path& data, const std::string& name) {
  if (const char* value = std::getenv(name.c_str()); value != nullptr && *value != '\0') return value;
  const std::filesystem::path file = data / (name + ".secret");
  if (!std::filesystem::exists(file)) write_secret(file, random_hex(32));
  std::string text;
  std::ifstream(file) >> text;
  return text;
}

kilat::Options server_options(const Settings& settings, std::string_view name) {
  kilat::Options options = kilat::Options::from_file((settings.sources / name / "kilat.toml").string());
  options.host = settings.host;
  options.port = settings.port;
  if (!settings.metrics.empty()) options.settings["metrics.listen"] = settings.metrics;
  return options;
}

void serve_pages(kilat::Server& server, const Settings& settings, std::string_view name) {
  server.http().files("/", (settings.pages / name).string());
}

void block_stop_signals() {
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void wait_for_stop_signal() {
  const sigset_t set = stop_signals();
  int number = 0;
  sigwait(&set, &number);
}

}  // namespace examples
