// Entries of server.listen: an address and words behind it, as in "0.0.0.0:443 tls" or "unix:/run/kilat.sock
// mode=0666". Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kilat::config {

struct ServerSettings;

/// One address to listen on.
struct Listen {
  std::string path;  ///< of a Unix socket; empty: TCP
  std::string host;  ///< an IP address
  uint16_t port = 0;
  uint32_t mode = 0660;         ///< permissions of the Unix socket
  bool tls = false;             ///< connections begin with a TLS handshake
  bool proxy_protocol = false;  ///< before all else comes a proxy's header

  bool local() const { return !path.empty(); }
  bool plain_tcp() const { return !local() && !tls && !proxy_protocol; }
  /// As an entry of server.listen writes it.
  std::string text() const;
  /// The address without the words.
  std::string address() const;
};

/// A rule in the sense of text_rules.h for one entry.
std::string listen_entry_rule(std::string& text);

/// Takes an entry apart that the rule accepts.
Listen parse_listen(std::string_view text);

/// All addresses that `server` says: server.host and server.port are the first TCP entry's, so that a flag or a
/// variable can move it.
std::vector<Listen> listeners(const ServerSettings& server);

/// Puts the entries of server.listen into `server`. A single plain address is kept as host and port only.
void set_listen(ServerSettings& server, const std::vector<std::string>& entries);

}  // namespace kilat::config
