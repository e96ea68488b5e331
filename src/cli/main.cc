// The command table: everything `kilat` can do.
#include <array>

#include "cli/command.h"

namespace {

using kilat::cli::Command;

constexpr std::array kCommands = std::to_array<Command>({
    {"serve", "Run the server.", "kilat serve --port 6001", kilat::cli::install_serve},
    {"publish", "Publish one event through the HTTP API.", R"(kilat publish dev chat hello '{"text":"hi"}')",
     kilat::cli::install_publish},
    {"tail", "Show an app's events as they pass.", "kilat tail dev --channel 'scada-*'", kilat::cli::install_tail},
    {"feed", "Publish this machine's own telemetry.", "kilat feed --interval-ms 500", kilat::cli::install_feed},
    {"config", "Print the configuration reference.", "kilat config --markdown", kilat::cli::install_config},
    {"reasons", "Print every refusal and close with its remedy.", "kilat reasons --json", kilat::cli::install_reasons},
    {"version", "Print version, compiler and libraries.", "kilat version", kilat::cli::install_version},
});

}  // namespace

int main(int argc, char** argv) {
  return kilat::cli::run(kCommands, argc, argv);
}
