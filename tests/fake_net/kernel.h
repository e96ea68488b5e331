// A kernel for tests: sockets, epoll, eventfd, time and randomness of one process, all in memory and all decided by the
// test. A program that links kernel.cc gets its recv, send, accept4, epoll_ctl, clock_gettime and so on from here;
// descriptors that this kernel did not make go on to the real one. So a real shard runs on it without a change.
// Owner: the one thread of the test. Bounds: kDescriptorsMax descriptors between two begin(); everything they hold is
// freed by end().
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace kilat::fake_net {

inline constexpr int kFirstDescriptor = 1 << 20;  ///< above what the real kernel hands out
inline constexpr int kDescriptorsMax = 4096;

/// What the tests make fail. kWatch: epoll_ctl that adds or changes; taking away needs no memory and cannot fail.
enum class Call : uint8_t { kRead, kWrite, kAccept, kWatch };

/// The `nth` call from now on (1 is the next) fails with `error`.
struct Fault {
  Call call = Call::kRead;
  uint32_t nth = 0;
  int error = 0;
};

/// Whether the server is at work, and not the test: only then allocations fail (failing_new.h) and time is this
/// kernel's.
inline constinit thread_local bool serving = false;
template <bool kServing>
class Inside {
 public:
  Inside() : before_(std::exchange(serving, kServing)) {}
  ~Inside() { serving = before_; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  bool before_;
};
using InServer = Inside<true>;
using InHarness = Inside<false>;

/// From now on time stands still for the server, but for advance_us(), and new descriptors are this kernel's. `seed`:
/// of getrandom.
void begin(uint64_t seed);
/// The real kernel is back. Every descriptor must have been closed by then; returns how many were not.
int end();

void advance_us(uint64_t us);
uint64_t now_ms();
/// Seconds of the wall clock, as requests are signed with.
uint64_t unix_s();

/// Grows whenever bytes move, a connection is accepted or closed, or an eventfd is written.
uint64_t activity();

void arm(const Fault& fault);
/// Whether the armed fault has happened; disarms it.
bool disarm();

/// A listening socket for a shard.
int listener();

/// The client's end of a connection. Copies name the same connection.
class Peer {
 public:
  Peer() = default;
  /// Connects; the server accepts it when its loop turns.
  explicit Peer(int listener);

  void send(std::string_view bytes) const;
  /// What the server has sent since the last call.
  std::string receive() const;
  /// Bytes that this client takes before it blocks, and bytes that the kernel takes in one call at most.
  void open_window(uint64_t bytes) const;
  void limit_sends(uint64_t bytes) const;
  /// Sends no more, but reads on.
  void half_close() const;
  /// Closes both ways, as a process that ended does.
  void close() const;
  void reset() const;
  /// Is never heard of again: reads nothing, sends nothing, and tells nobody.
  void vanish() const;

  bool accepted() const;
  /// The server has shut down its side, or closed the connection.
  bool ended() const;
  /// The server has closed its descriptor.
  bool closed() const;

 private:
  int fd_ = -1;
};

inline constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

}  // namespace kilat::fake_net
