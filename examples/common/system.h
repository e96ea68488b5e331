// What the four systems have in common: how they are told where to listen and where to keep their data, how they start
// and end. Each is a program of its own, and all run in one process in examples/demo.
#pragma once

#include <kilat/server.h>

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace examples {

struct Settings {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;         ///< 0: the kernel picks one
  std::string metrics = {};       ///< HOST:PORT for Prometheus; empty: none
  std::filesystem::path data;     ///< folder of the databases and secrets
  std::filesystem::path pages;    ///< folder with the built pages of all examples
  std::filesystem::path sources;  ///< folder with NAME/kilat.toml
};

class System {
 public:
  virtual ~System() = default;
  /// "scada"; also the folder of its page and of its data.
  virtual std::string_view name() const = 0;
  /// Serves, and does its work, when it returns. Once. The error says what is wrong, for people. Main thread.
  virtual std::expected<void, std::string> start() = 0;
  /// Says goodbye to all clients, ends the work, and waits for both. Main thread.
  virtual void stop() = 0;
  virtual std::uint16_t port() const = 0;
  /// What Pusher clients connect with; empty for a system without any. After start().
  virtual std::string key() const { return {}; }
};

/// Adds --host, --port, --data, --pages and --sources, which set what they say in `settings`, and gives pages and
/// sources the places of this build.
void add_options(CLI::App& command, Settings& settings);

using MakeSystem = std::function<std::unique_ptr<System>(const Settings&)>;

/// main() of an example: reads these options and --metrics, starts the system, waits for SIGINT or SIGTERM, stops.
/// Returns what main() should.
int run_program(int argc, char** argv, std::string_view title, std::uint16_t default_port, const MakeSystem& make);

/// The folder for a program's data: the wanted one, made when it is not there, or a temporary one that goes at the end.
class ScratchFolder {
 public:
  explicit ScratchFolder(const std::filesystem::path& wanted);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  bool temporary_;
};

/// A secret of a system: the environment variable `name`, or what stands in the folder `data` (made at the first start:
/// 32 random bytes in hexadecimal, readable by the owner only).
std::string secret(const std::filesystem::path& data, const std::string& name);

/// Where the server of a system reads its settings and listens; `settings` of the result may be added to.
kilat::Options server_options(const Settings& settings, std::string_view name);

/// Serves the page of a system at /.
void serve_pages(kilat::Server& server, const Settings& settings, std::string_view name);

/// Blocks SIGINT and SIGTERM in this thread and in all that it makes from now on.
void block_stop_signals();
/// Waits for one of them.
void wait_for_stop_signal();

}  // namespace examples
