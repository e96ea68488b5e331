#include "app/handover.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string>

namespace kilat::app {
namespace {

constexpr std::string_view kListen = "0A";

}  // namespace

// A line: "  0: 0100007F:1771 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 12345 …".
std::vector<uint64_t> listening_inodes(std::string_view tcp_table, uint16_t port) {
  std::vector<uint64_t> out;
  std::istringstream lines{std::string(tcp_table)};
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream fields(line);
    std::string number, local, remote, state, queues, timer, retransmits, user, timeout, inode;
    if (!(fields >> number >> local >> remote >> state >> queues >> timer >> retransmits >> user >> timeout >> inode)) {
      continue;
    }
    const size_t colon = local.rfind(':');
    if (state != kListen || colon == std::string::npos) continue;
    unsigned found = 0;
    uint64_t id = 0;
    std::from_chars(local.data() + colon + 1, local.data() + local.size(), found, 16);
    std::from_chars(inode.data(), inode.data() + inode.size(), id);
    if (found == port && id != 0) out.push_back(id);
  }
  return out;
}

uint64_t inode_of(int fd) {
  struct stat status{};
  return ::fstat(fd, &status) == 0 ? status.st_ino : 0;
}

bool others_listen(uint16_t port, const std::vector<uint64_t>& own) {
  for (const char* path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    for (const uint64_t inode : listening_inodes(text.str(), port)) {
      if (std::ranges::find(own, inode) == own.end()) return true;
    }
  }
  return false;
}

}  // namespace kilat::app
