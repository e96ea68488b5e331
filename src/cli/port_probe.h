// Whether an address is free to listen on, and who has it if not. Linux /proc, best effort. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kilat::cli {

/// 0 when `host`:`port` can be bound, else the errno (EADDRINUSE, EACCES, EADDRNOTAVAIL). Binds without SO_REUSEPORT on
/// purpose: with it a second server of the same user would be let in and silently take half of the connections.
int probe_address(const std::string& host, uint16_t port);

struct PortOwner {
  std::string name;
  int pid = 0;
};

/// What the kernel calls process `pid` (its program, 15 bytes at most); "" when there is none.
std::string process_name(int pid);

/// The process that listens on TCP `port`, if /proc lets us see it (our own processes; all of them for root).
std::optional<PortOwner> owner_of_port(uint16_t port);

/// The next port above `port` that can be bound on `host`; 0 when none of the next 100 can.
uint16_t free_port_after(const std::string& host, uint16_t port);

/// The inode of the socket that listens on `port`, from the text of /proc/net/tcp or tcp6; 0 if there is none.
uint64_t listening_inode(std::string_view tcp_table, uint16_t port);

}  // namespace kilat::cli
