// A small client of sockets: one epoll set, and non-blocking TCP connections over loopback.
// Owner: the stress program's one thread. A Socket may be destroyed only outside Poller::wait.
// Bounds: what is sent waits in memory until the server takes it; the drivers pace themselves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kilat::stress {

class Socket;

class Poller {
 public:
  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  /// Serves what is ready; waits up to `ms` milliseconds for the first.
  void wait(int ms);

 private:
  friend class Socket;
  int fd_;
  std::vector<char> buffer_;
};

class Socket {
 public:
  /// Begins to connect to 127.0.0.1:`port`. `receive_bytes`: size of the kernel's receive buffer, 0 for the usual.
  Socket(Poller& poller, uint16_t port, int receive_bytes = 0);
  virtual ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  bool ended() const { return fd_ < 0; }
  void send(std::string_view bytes);
  size_t unsent() const { return out_.size(); }
  /// While paused nothing is read, so the server's outbox fills.
  void set_paused(bool paused);
  bool paused() const { return paused_; }
  /// No more from this side; the rest of what the peer says is still read.
  void shutdown_write();
  /// Ends at once with a reset; on_end is not called.
  void reset();

 protected:
  /// `bytes` may be changed; at least 64 readable bytes follow them.
  virtual void on_bytes(std::span<char> bytes) = 0;
  /// The peer has ended or the connection failed (`error`: errno or 0). The descriptor is closed.
  virtual void on_end(int error) = 0;

 private:
  friend class Poller;
  void on_ready(uint32_t events);
  void flush();
  void read();
  void watch();
  void close();
  void end(int error);

  Poller& poller_;
  int fd_;
  std::string out_;
  uint32_t watched_ = 0;
  bool connected_ = false;
  bool paused_ = false;
  bool finishing_ = false;  // shut down writing once out_ is empty
};

}  // namespace kilat::stress
