#include "app/reload.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "base/log.h"

namespace kilat::app {
namespace {

constexpr size_t kChangesShown = 20;
constexpr size_t kTextMax = 60'000;  // fits one datagram with room to spare

std::string listed(const std::vector<config::Change>& changes) {
  std::string out;
  for (size_t i = 0; i < changes.size(); ++i) {
    if (i == kChangesShown) return out + ", and " + std::to_string(changes.size() - i) + " more";
    if (i > 0) out += ", ";
    out += config::describe(changes[i]);
  }
  return out;
}

std::string counted(size_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

}  // namespace

std::vector<std::string> describe(const ReloadReport& report) {
  if (report.outcome == ReloadReport::Outcome::kRefused) return {"nothing was changed: " + report.why};
  std::vector<std::string> lines;
  if (!report.live.empty()) {
    lines.push_back(counted(report.live.size(), "change") + " applied: " + listed(report.live));
  }
  if (!report.later.empty()) lines.push_back("needs restart, kept the old value: " + listed(report.later));
  std::string end = report.live.empty() && report.later.empty() ? "no setting differs; " : "";
  end += "done in " + std::to_string(report.ms) + " ms, ";
  end += report.connections_closed == 0 ? "no connection was closed"
                                        : counted(report.connections_closed, "connection") + " of removed apps closed";
  lines.push_back(std::move(end));
  return lines;
}

void log_reload(const ReloadReport& report) {
  if (report.outcome == ReloadReport::Outcome::kRefused) {
    return log::event(log::Level::kError, "reload_refused", {{"why", report.why}});
  }
  // One line a change: a log value is cut at 256 bytes, and a list of them would be.
  for (const config::Change& change : report.live) {
    log::event(log::Level::kInfo, "reload_applied", {{"change", config::describe(change)}});
  }
  for (const config::Change& change : report.later) {
    log::event(log::Level::kWarn, "reload_needs_restart", {{"kept_old_value", config::describe(change)}});
  }
  log::event(log::Level::kInfo, "reloaded",
             {{"applied", report.live.size()},
              {"need_restart", report.later.size()},
              {"connections_closed", report.connections_closed},
              {"ms", report.ms}});
}

std::string reload_address(int pid) {
  return std::string(1, '\0') + "kilat-reload-" + std::to_string(pid);
}

void tell_reload_outcome(int pid, bool succeeded, std::string_view text) {
  const std::string name = reload_address(pid);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  std::string message = succeeded ? "1" : "0";
  message += text.substr(0, kTextMax);
  // Nobody listens when the request was a plain SIGHUP.
  [[maybe_unused]] const ssize_t sent = ::sendto(fd, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                                                 reinterpret_cast<const sockaddr*>(&address),
                                                 static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size()));
  ::close(fd);
}

}  // namespace kilat::app
