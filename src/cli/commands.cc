// The command table: everything `kilat` can do. Help, completion and man pages are made from it.
#include <array>

#include "cli/command.h"

namespace kilat::cli {
namespace {

constexpr std::array kCommands = std::to_array<Command>({
    {"serve", "Run the server.", "kilat serve --port 6001", install_serve},
    {"init", "Print a configuration file to begin with.", "kilat init > kilat.toml", install_init},
    {"check", "Say whether the configuration is valid, and what is wrong.", "kilat check kilat.toml", install_check},
    {"env", "Print what an application or proxy must be told.", "kilat env laravel >> .env", install_env},
    {"reload", "Have the running server read its configuration again.", "kilat reload", install_reload},
    {"stop", "Have the running server say goodbye to its connections and end.", "kilat stop", install_stop},
    {"health", "Ask a server whether it is ready.", "kilat health", install_health},
    {"doctor", "Check this machine for running a server.", "kilat doctor", install_doctor},
    {"top", "Show what a server does, live.", "kilat top", install_top},
    {"metrics", "Print the reference of metrics.", "kilat metrics --markdown", install_metrics},
    {"publish", "Publish one event through the HTTP API.", R"(kilat publish dev chat hello '{"text":"hi"}')",
     install_publish},
    {"tail", "Show an app's events as they pass.", "kilat tail dev --channel 'scada-*'", install_tail},
    {"feed", "Publish this machine's own telemetry.", "kilat feed --interval-ms 500", install_feed},
    {"demo", "Show four systems at work: a plant, vending machines, bookings, a network.", "kilat demo", install_demo},
    {"bench", "Load a server; measure latency and losses.", "kilat bench --connections 1000 --rate 100", install_bench},
    {"apps", "Keep apps in a database: add, rotate secrets, disable, remove.", "kilat apps add shop --reload",
     install_apps},
    {"jobs", "Show failed jobs of durable ingest, try them again, forget them.", "kilat jobs list plant", install_jobs},
    {"config", "Print the configuration reference.", "kilat config --markdown", install_config},
    {"reasons", "Print every refusal and close with its remedy.", "kilat reasons --json", install_reasons},
    {"completion", "Print the completion script of a shell.",
     "kilat completion bash > ~/.local/share/bash-completion/completions/kilat", install_completion},
    {"man", "Print a manual page.", "kilat man serve | man -l -", install_man},
    {"version", "Print version, compiler and libraries.", "kilat version", install_version},
});

}  // namespace

std::span<const Command> commands() {
  return kCommands;
}

}  // namespace kilat::cli
