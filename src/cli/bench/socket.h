// A connection of the load tool, TCP with or without TLS: connects without blocking, reads into a buffer that all
// share, and queues what the kernel does not take at once. Owner: the run; one thread. Lives until the run ends,
// whatever happens to its descriptor, so that events that were fetched already find it. Bounds: kOutBytesMax bytes
// queued; past it the connection is given up.
#pragma once

#include <sys/socket.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/bench/tls_client.h"
#include "cli/failure.h"
#include "net/event_loop.h"

namespace kilat::cli::bench {

class Socket;

/// Where all connections go.
struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  bool loopback_v4 = false;
};

/// The first address of `host` (a name or an address without brackets). Blocks while a name is looked up.
Outcome<Address> resolve(const std::string& host, uint16_t port);

/// What the connections of a run share.
struct Wire {
  /// `tls_client` outlives this; null: the connections are not encrypted.
  Wire(const Address& to, const TlsClient* tls_client);

  net::EventLoop loop;
  Address address;
  const TlsClient* tls;
  std::vector<char> buffer;    ///< of what is being read; some readable bytes follow the part that recv may fill
  std::vector<Socket*> dirty;  ///< have something queued; flush() sends it
  uint32_t source = 0;         ///< 127.0.0.(1 + source) is where the next connection to loopback comes from

  /// Sends what is queued on all connections: once a turn, so that frames of one turn share system calls.
  void flush();
};

class Socket : public net::Watcher {
 public:
  static constexpr size_t kOutBytesMax = 4 * 1024 * 1024;
  static constexpr size_t kBusyBytes = 64 * 1024;

  explicit Socket(Wire& wire) : wire_(wire) {}
  virtual ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  /// Starts to connect; on_open (with TLS: once the handshake is over) or on_lost follow, on_lost possibly before this
  /// returns.
  void open();
  /// Queues bytes for the next Wire::flush().
  void queue(std::string_view bytes);
  /// Sends what the kernel takes. Call it through Wire::flush().
  void flush();
  /// Closes without a call of on_lost. Does nothing when closed.
  void close();

  bool is_open() const { return fd_ >= 0 && !connecting_; }
  /// Whether so much is queued that more should wait.
  bool busy() const { return out_.size() - sent_ > kBusyBytes; }

  void on_ready(uint32_t events) final;

 protected:
  virtual void on_open() = 0;
  /// Bytes that came; they may be changed, and ws::kPadding readable bytes follow them.
  virtual void on_bytes(std::span<char> bytes) = 0;
  /// The connection could not be made, or has ended. It is closed already.
  virtual void on_lost(const std::string& why) = 0;

 private:
  bool start_connect();
  void finish_connect();
  void shake_hands();
  void opened();
  void read();
  TlsSession::Step receive();
  TlsSession::Step transmit(std::string_view bytes);
  void watch(uint32_t events);
  void lose(const std::string& why);

  Wire& wire_;
  int fd_ = -1;
  std::unique_ptr<TlsSession> tls_;  // null without TLS, and until TCP is connected
  bool connecting_ = false;          // until the handshake of TLS is over
  bool dirty_ = false;
  uint32_t watched_ = 0;
  size_t sent_ = 0;  // of out_
  std::string out_;
};

}  // namespace kilat::cli::bench
