#include "app/systemd.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/clock.h"

namespace kilat::app::systemd {
namespace {

constexpr int kFirstSocket = 3;  // SD_LISTEN_FDS_START
constexpr uint64_t kSocketsMax = 64;

uint64_t number_from(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
}

bool for_us(const char* pid_variable) {
  const uint64_t pid = number_from(pid_variable);
  return pid == static_cast<uint64_t>(::getpid());
}

}  // namespace

bool notify(std::string_view text) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  if (path == nullptr || (path[0] != '/' && path[0] != '@')) return false;
  const size_t size = std::strlen(path);
  if (size >= sizeof address.sun_path) return false;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path, size);
  if (path[0] == '@') address.sun_path[0] = '\0';  // an abstract name
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
  const ssize_t sent = ::sendto(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                                reinterpret_cast<const sockaddr*>(&address), length);
  ::close(fd);
  return sent == static_cast<ssize_t>(text.size());
}

void notify_reloading() {
  notify("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(monotonic_us()));
}

std::vector<int> take_listening_sockets() {
  std::vector<int> sockets;
  if (for_us("LISTEN_PID")) {
    const uint64_t count = number_from("LISTEN_FDS");
    for (uint64_t i = 0; i < count && i < kSocketsMax; ++i) {
      const int fd = kFirstSocket + static_cast<int>(i);
      ::fcntl(fd, F_SETFD, FD_CLOEXEC);
      ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
      sockets.push_back(fd);
    }
  }
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
  return sockets;
}

uint64_t watchdog_ms() {
  if (std::getenv("WATCHDOG_PID") != nullptr && !for_us("WATCHDOG_PID")) return 0;
  return number_from("WATCHDOG_USEC") / 1'000;
}

}  // namespace kilat::app::systemd
