#include "cli/port_probe.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace kilat::cli {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

bool has_socket(const fs::path& descriptors, const std::string& wanted) {
  std::error_code code;
  for (fs::directory_iterator entry(descriptors, code), end; !code && entry != end; entry.increment(code)) {
    std::error_code ignored;
    if (fs::read_symlink(entry->path(), ignored).string() == wanted) return true;
  }
  return false;
}

int bind_once(int family, const sockaddr* address, socklen_t size) {
  const int descriptor = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return errno;
  const int on = 1;
  // As the server does: sockets in TIME_WAIT of an earlier run are no obstacle.
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const int result = ::bind(descriptor, address, size) == 0 ? 0 : errno;
  ::close(descriptor);
  return result;
}

}  // namespace

int probe_address(const std::string& host, uint16_t port) {
  sockaddr_in v4{};
  if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    return bind_once(AF_INET, reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
  }
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) != 1) return EADDRNOTAVAIL;
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  return bind_once(AF_INET6, reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
}

std::string process_name(int pid) {
  std::string name = read_file("/proc/" + std::to_string(pid) + "/comm");
  while (!name.empty() && name.back() == '\n') name.pop_back();
  return name;
}

std::optional<PortOwner> owner_of_port(uint16_t port) {
  uint64_t inode = listening_inode(read_file("/proc/net/tcp"), port);
  if (inode == 0) inode = listening_inode(read_file("/proc/net/tcp6"), port);
  if (inode == 0) return std::nullopt;
  const std::string wanted = "socket:[" + std::to_string(inode) + "]";
  std::error_code code;
  for (fs::directory_iterator entry("/proc", code), end; !code && entry != end; entry.increment(code)) {
    const std::string name = entry->path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (!has_socket(entry->path() / "fd", wanted)) continue;
    PortOwner out;
    std::from_chars(name.data(), name.data() + name.size(), out.pid);
    out.name = process_name(out.pid);
    return out;
  }
  return std::nullopt;
}

uint16_t free_port_after(const std::string& host, uint16_t port) {
  const int last = std::min(port + 100, 65'535);
  for (int candidate = port + 1; candidate <= last; ++candidate) {
    if (probe_address(host, static_cast<uint16_t>(candidate)) == 0) return static_cast<uint16_t>(candidate);
  }
  return 0;
}

uint64_t listening_inode(std::string_view tcp_table, uint16_t port) {
  std::istringstream lines{std::string(tcp_table)};
  std::string line;
  while (std::getline(lines, line)) {
    // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode; 0A is LISTEN (proc(5)).
    std::istringstream words(line);
    std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout;
    uint64_t inode = 0;
    if (!(words >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >> inode))
      continue;
    const size_t colon = local.find(':');
    if (state != "0A" || colon == std::string::npos) continue;
    unsigned found = 0;
    std::from_chars(local.data() + colon + 1, local.data() + local.size(), found, 16);
    if (found == port) return inode;
  }
  return 0;
}

}  // namespace kilat::cli
