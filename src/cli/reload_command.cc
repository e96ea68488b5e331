// `kilat reload`: has the running server read its configuration again, and prints what came of it. The server sends the
// outcome as a datagram to an abstract socket named after the process that sent the signal; the kernel vouches for who
// sent it.
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "app/reload.h"
#include "base/clock.h"
#include "cli/command.h"
#include "cli/failure.h"
#include "cli/reload_request.h"
#include "cli/running.h"
#include "net/descriptor.h"

namespace kilat::cli {
namespace {

constexpr uint32_t kWaitMs = 60'000;
constexpr size_t kTextMax = 64 * 1024;

int open_mailbox() {
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const std::string name = app::reload_address(::getpid());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  const int on = 1;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  if (::setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0 &&
      ::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0) {
    return fd;
  }
  ::close(fd);
  return -1;
}

// One datagram and the process it comes from; an empty text when it is not from `pid`.
std::string receive(int fd, int pid) {
  std::string text(kTextMax, '\0');
  iovec part{text.data(), text.size()};
  std::array<char, CMSG_SPACE(sizeof(ucred))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = ::recvmsg(fd, &message, 0);
  if (size <= 0) return {};
  ucred sender{};
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_CREDENTIALS)
      std::memcpy(&sender, CMSG_DATA(header), sizeof sender);
  }
  if (sender.pid != pid) return {};
  text.resize(static_cast<size_t>(size));
  return text;
}

// Line feeds stay; everything else that a terminal would obey goes.
std::string printable(const std::string& text) {
  std::string out;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    out += fit_for_terminal(std::string_view(text).substr(begin, end - begin)) + "\n";
    begin = end + 1;
  }
  return out;
}

}  // namespace

int request_reload(const RunningOptions& options, std::FILE* out) {
  const Outcome<int> pid = find_running(options);
  if (!pid) return report(pid.error());
  const int mailbox = open_mailbox();
  if (mailbox < 0) return report({"cannot wait for the outcome", {}, std::strerror(errno), {"kill -HUP PID"}});
  const net::Descriptor owned(mailbox);
  if (::kill(*pid, SIGHUP) != 0) {
    return report({"cannot signal process " + std::to_string(*pid), {}, std::strerror(errno), {"sudo kilat reload"}});
  }
  const uint64_t deadline = monotonic_ms() + kWaitMs;
  for (;;) {
    const uint64_t now = monotonic_ms();
    pollfd waiting{mailbox, POLLIN, 0};
    // In short waits, to notice a server that has ended.
    if (now < deadline && ::poll(&waiting, 1, 500) > 0) {
      const std::string text = receive(mailbox, *pid);
      if (text.empty()) continue;
      const bool succeeded = text.front() == '1';
      std::fputs(printable(text.substr(1)).c_str(), succeeded ? out : stderr);
      return succeeded ? 0 : 1;
    }
    if (::kill(*pid, 0) != 0) return report({"the server has ended", {}, {}, {"its log"}});
    if (now >= deadline) {
      return report({"the server has not said how the reload went",
                     {},
                     "it waits for a shard, or lives in another network namespace",
                     {"its log", "kill -USR1 " + std::to_string(*pid)}});
    }
  }
}

Action install_reload(CLI::App& command) {
  auto options = std::make_shared<RunningOptions>();
  add_running_options(command, *options);
  return [options] { return request_reload(*options, stdout); };
}

}  // namespace kilat::cli
