// Listener: accepts TCP connections on one address for one shard. Each shard has its own, on the same port with
// SO_REUSEPORT, so that the kernel spreads connections and no lock is shared.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "net/event_loop.h"

namespace kilat::net {

/// Takes accepted descriptors (non-blocking, close-on-exec, TCP_NODELAY).
class AcceptHandler {
 public:
  virtual void on_accepted(int fd) = 0;

 protected:
  ~AcceptHandler() = default;
};

/// A bound and listening socket. Errors carry the address and the system's reason.
Result<int> listen_on(const std::string& host, uint16_t port, bool reuse_port);

/// Closes a socket from listen_on() that was not given to a Listener.
void close_socket(int fd);

/// The port `fd` is bound to (after port 0).
uint16_t bound_port(int fd);

class Listener final : public Watcher {
 public:
  /// Takes over `fd` from listen_on().
  Listener(EventLoop& loop, int fd, AcceptHandler& handler);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void on_ready(uint32_t events) override;

  /// Whether accepting rests because the system had no descriptor left; then resume() is to be called now and then.
  bool resting() const { return resting_; }
  void resume();

 private:
  static constexpr int kAcceptsPerTurn = 64;  ///< so that a connect storm does not starve those already here

  enum class Shed : uint8_t { kOne, kNoneWaits, kFailed };
  Shed shed_one();

  EventLoop& loop_;
  AcceptHandler& handler_;
  int fd_;
  bool resting_ = false;
  int reserve_;  ///< given up for a moment when descriptors run out, to accept and refuse instead of spinning
};

}  // namespace kilat::net
