// Listener: accepts connections on one address for one shard. For TCP each shard has a socket of its own on the same
// port with SO_REUSEPORT, so that the kernel spreads connections and no lock is shared. A Unix socket can't be bound
// twice: all shards watch one socket, and the kernel wakes one of them for a connection (EPOLLEXCLUSIVE).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/ip_address.h"
#include "base/result.h"
#include "net/event_loop.h"

namespace kilat::net {

/// How connections of one address begin.
struct ListenerTraits {
  bool shared = false;          ///< the socket is watched by other shards too
  bool tls = false;             ///< they begin with a TLS handshake
  bool admin = false;           ///< they get figures and health only
  bool proxy_protocol = false;  ///< before anything else comes the header of a proxy
};

/// Takes accepted descriptors (non-blocking, close-on-exec, TCP_NODELAY).
class AcceptHandler {
 public:
  virtual void on_accepted(int fd, const Peer& peer, const ListenerTraits& traits) = 0;

 protected:
  ~AcceptHandler() = default;
};

/// A bound and listening socket. Errors carry the address and the system's reason.
Result<int> listen_on(const std::string& host, uint16_t port, bool reuse_port);

/// The same for a Unix socket at `path`, which gets the permissions `mode`. A socket file that a dead server left is
/// replaced; one that somebody listens on is an error, unless `take_over`: then the new one takes its place in one
/// step, and nobody who connects finds none (unless `path` is too long for four characters more).
Result<int> listen_on_unix(const std::string& path, mode_t mode, bool take_over = false);

/// Which file `path` is; 0 when there is none. A server must not remove the socket file of the one that followed it.
uint64_t socket_file_id(const std::string& path);

/// Closes a socket from listen_on() that was not given to a Listener.
void close_socket(int fd);

/// Another descriptor of the same socket, for the Listener of one more shard.
Result<int> share_socket(int fd);

/// Whether `fd` is a TCP socket, and not a Unix one.
bool is_tcp(int fd);

/// The port `fd` is bound to (after port 0).
uint16_t bound_port(int fd);

class Listener final : public Watcher {
 public:
  /// Takes over `fd` from listen_on() or share_socket().
  Listener(EventLoop& loop, int fd, const ListenerTraits& traits, AcceptHandler& handler);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void on_ready(uint32_t events) override;

  /// Whether accepting rests because the system had no descriptor left; then resume() is to be called now and then.
  bool resting() const { return resting_; }
  void resume();

 private:
  static constexpr int kAcceptsPerTurn = 64;  ///< so that a connect storm does not starve those already here
  /// From a shared socket each shard takes a few, so that the one that wakes first does not get them all.
  static constexpr int kSharedAcceptsPerTurn = 4;

  enum class Shed : uint8_t { kOne, kNoneWaits, kFailed };
  Shed shed_one();
  bool watch(bool on);

  EventLoop& loop_;
  AcceptHandler& handler_;
  int fd_;
  ListenerTraits traits_;
  bool resting_ = false;
  int reserve_;  ///< given up for a moment when descriptors run out, to accept and refuse instead of spinning
};

}  // namespace kilat::net
