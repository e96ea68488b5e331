// Whether another process listens where this one does, so that a drain can leave new connections to it. Linux /proc.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace kilat::app {

/// The inodes of the sockets that listen on TCP `port`, from the text of /proc/net/tcp or tcp6. Pure.
std::vector<uint64_t> listening_inodes(std::string_view tcp_table, uint16_t port);

/// The inode of an open socket; 0 when it has none.
uint64_t inode_of(int fd);

/// Whether a socket that is not one of `own` listens on `port`. Reads /proc; any thread.
bool others_listen(uint16_t port, const std::vector<uint64_t>& own);

}  // namespace kilat::app
