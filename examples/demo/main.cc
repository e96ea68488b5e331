// All four systems in one process, each on the port its clients know, behind one page that shows them at work.
#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <utility>
#include <vector>

#include "booking/booking.h"
#include "common/system.h"
#include "noc/noc.h"
#include "rvm/rvm.h"
#include "scada/scada.h"

namespace examples {
namespace {

struct Row {
  std::string_view name;
  std::unique_ptr<System> (*make)(const Settings&);
};
constexpr std::array kSystems = {Row{"scada", scada::make_scada}, Row{"rvm", make_rvm}, Row{"booking", make_booking},
                                 Row{"noc", make_noc}};

struct Options {
  Settings settings{.port = 8000, .data = {}, .pages = {}, .sources = {}};
  std::vector<std::uint16_t> ports{6001, 8080, 8081, 5000};  ///< of kSystems: those that their clients know
};

void say(std::string_view text) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
}

/// Starts a system on its own port, or on one that the kernel picks when that one is taken; nothing when it can't
/// start.
std::unique_ptr<System> start_system(const Row& row, Settings settings) {
  settings.data /= row.name;
  std::filesystem::create_directories(settings.data);
  std::unique_ptr<System> system = row.make(settings);
  auto started = system->start();
  if (!started && settings.port != 0 && started.error().contains("cannot listen")) {
    say(started.error());
    say(std::string(row.name) + ": takes another port instead");
    settings.port = 0;
    system = row.make(settings);
    started = system->start();
  }
  if (started) return system;
  say(std::string(row.name) + ": " + started.error());
  return nullptr;
}

/// The page, and where it finds the systems: {"scada": {"port": 6001, "key": "…"}, …}.
class Landing {
 public:
  Landing(const Settings& settings, const std::vector<std::unique_ptr<System>>& systems)
      : server_({.host = settings.host, .port = settings.port, .shards = 1}) {
    kilat::json::object places;
    for (const auto& system : systems) {
      places[system->name()] = kilat::json::object{{"port", system->port()}, {"key", system->key()}};
    }
    server_.http().get("/systems.json",
                       [places](const kilat::web::Request&) { return kilat::web::Response::json(places); });
    serve_pages(server_, settings, "demo");
  }
  std::expected<void, std::string> start() { return server_.start(); }
  std::uint16_t port() const { return server_.port(); }
  void stop() {
    server_.stop();
    server_.join();
  }

 private:
  kilat::Server server_;
};

int serve(Options options) {
  const ScratchFolder scratch(options.settings.data);
  options.settings.data = scratch.path();
  std::vector<std::unique_ptr<System>> systems;
  for (std::size_t i = 0; i < kSystems.size(); ++i) {
    Settings settings = options.settings;
    settings.port = options.ports[i];
    std::unique_ptr<System> system = start_system(kSystems[i], std::move(settings));
    if (!system) return 1;
    systems.push_back(std::move(system));
  }
  Landing landing(options.settings, systems);
  if (const auto started = landing.start(); !started) {
    say(started.error());
    return 1;
  }
  const char* host = options.settings.host.c_str();
  for (const auto& system : systems) {
    std::printf("%-8s http://%s:%u\n", std::string(system->name()).c_str(), host, system->port());
  }
  std::printf("Open this: http://%s:%u/\n", host, landing.port());
  std::fflush(stdout);
  wait_for_stop_signal();
  landing.stop();
  for (const auto& system : systems) system->stop();
  return 0;
}

}  // namespace
}  // namespace examples

int main(int argc, char** argv) {
  examples::Options options;
  CLI::App command{"Shows four systems at work: a plant, vending machines, bookings, a network."};
  examples::add_options(command, options.settings);
  command.add_option("--ports", options.ports, "Ports of scada, rvm, booking and noc; 0 lets the kernel pick one")
      ->delimiter(',')
      ->expected(static_cast<int>(examples::kSystems.size()))
      ->capture_default_str();
  CLI11_PARSE(command, argc, argv);
  examples::block_stop_signals();
  try {
    return examples::serve(std::move(options));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "kilat-demo: %s\n", error.what());
    return 1;
  }
}
