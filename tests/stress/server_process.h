// ServerProcess: `kilat serve` as a child, on loopback and a port that the kernel picks, with a configuration of its
// own in a temporary directory. Owner: the stress program's one thread. Ended by its pid, at the latest by the
// destructor.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace kilat::stress {

struct ServerResources {
  uint64_t rss_kib = 0;  ///< resident and private
  size_t descriptors = 0;
};

class ServerProcess {
 public:
  /// Starts `binary` with the configuration text and waits until it is ready. Throws std::runtime_error when it is not.
  ServerProcess(const std::string& binary, const std::string& configuration);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  uint16_t port() const { return port_; }
  pid_t pid() const { return pid_; }

  /// Whether the child has ended; its status is kept.
  bool ended();
  /// SIGTERM: the server drains.
  void terminate() const;
  /// Waits for the end. Nothing when all was well, else what was not: exit code, signal, no end in time.
  std::string wait_for_end();
  /// What a sanitizer or a failed assertion left on standard error, with some lines around it; empty when nothing.
  std::string complaints() const;
  /// The last lines of standard error.
  std::string last_words() const;

  /// From /proc; zeros when the process is gone.
  ServerResources resources() const;

 private:
  std::string log() const;
  void wait_until_ready();

  std::filesystem::path directory_;
  pid_t pid_ = -1;
  std::optional<int> status_;
  uint16_t port_ = 0;
};

}  // namespace kilat::stress
