// Stream: one accepted TCP connection: its descriptor, its outbox, and how it ends.
// Reactor: what all streams of a shard share: the event loop, the read buffer, the flush at the end of a turn.
// Owner: one shard. Neither is thread-safe. A Stream must not be destroyed from inside its handler's calls; the shard
// destroys it between two turns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/reason.h"
#include "net/descriptor.h"
#include "net/event_loop.h"
#include "net/outbox.h"

namespace kilat::net {

class ProxyParser;
class Reactor;
class Transport;

/// What happens on a stream. Implemented by the connection.
class StreamHandler {
 public:
  /// Bytes arrived. All must be used or copied; 64 readable bytes follow them (for SIMD parsers), and they may be
  /// changed in place.
  virtual void on_bytes(std::span<char> bytes) = 0;
  /// The descriptor is closed; called once, last. `reason` says why.
  virtual void on_closed(Reason reason) = 0;
  /// The peer sends no more. True: it still waits for something, so keep the stream for writing until finish().
  virtual bool on_end() { return false; }
  /// The outbox is empty again after it had not been. Streaming producers use it.
  virtual void on_drained() {}
  /// A proxy has said for whom it connects; called before any on_bytes(), and only for a stream that was wrapped so.
  virtual void on_proxied(const ProxyParser&) {}

 protected:
  ~StreamHandler() = default;
};

class Stream final : public Outbox, private Watcher {
 public:
  /// Takes over `fd`, which is connected and non-blocking, and watches it.
  Stream(Reactor& reactor, int fd, StreamHandler& handler);
  ~Stream();

  /// Puts a proxy's header or TLS between this stream and its socket. Before anything is read or sent.
  void wrap(std::unique_ptr<Transport> transport);

  /// Sends what is queued, for which the reader has the time of the soft limit; then says goodbye on the TCP level and
  /// waits at most kLingerMs for the peer to do the same: closing at once with unread input would make the kernel send
  /// a reset that destroys the last bytes.
  void finish(Reason reason);

  /// Closes now; what is queued is lost.
  void abort(Reason reason);

  /// As finish(), for a reader that does not read: queued frames are dropped, the last one (a close frame) is kept, and
  /// kLingerMs is all the time there is.
  void finish_slow(Reason reason, FramePtr last);

  /// Tries to send at once instead of at the end of the turn. Closes nothing.
  void try_send();

  /// Stops or resumes reading; used when the peer sends faster than its requests can be answered.
  void pause_reading(bool paused);

  /// Tells how many bytes the handler holds of unfinished input, for the budget of the shard. To be called after input
  /// was used; costs a comparison when nothing has changed.
  void note_input(size_t bytes) {
    if (bytes != input_bytes_) account_input(bytes);
  }

  /// Gives the socket away, for a stream of another shard. Only while nothing is queued; this stream is closed then,
  /// and its handler hears nothing of it.
  struct Released {
    Descriptor socket;
    std::unique_ptr<Transport> transport;  ///< null for a plain connection
  };
  Released release();

  /// Reads what a transport that came from another stream has decrypted already: no event will announce it.
  void read_pending();

  /// -1 once closed. For what is put around the stream, see wrap().
  int descriptor() const { return fd_; }
  bool closed() const { return fd_ < 0; }
  bool finishing() const { return finishing_; }
  bool blocked() const { return blocked_; }
  Reason reason() const { return reason_; }

  static constexpr uint32_t kLingerMs = 2'000;
  static constexpr uint32_t kDiscardMax = 4 * 1024 * 1024;  ///< bytes read and thrown away while lingering

 private:
  friend class Reactor;
  void on_ready(uint32_t events) override;
  void read_some();
  void discard_input();
  enum class Sent : uint8_t { kAll, kBlocked, kFailed };
  void flush();
  Sent send_once();
  void watch();
  void set_blocked(bool blocked);
  void shut_down_writing();
  void account_input(size_t bytes);
  uint64_t memory() const { return held() + input_bytes_; }
  Reactor& reactor() const;  ///< its pool: a pointer of its own would be eight bytes more of each connection
  void close_now(Reason reason);

  // Of a wrapped stream, in stream_transport.cc: a plain one pays a test of one pointer for them.
  void on_ready_wrapped(uint32_t events);
  void open_transport();
  void read_wrapped();
  Sent send_wrapped(std::span<Frame* const> frames);
  void give_transport_up();
  bool say_goodbye();

  StreamHandler& handler_;
  std::unique_ptr<Transport> transport_;  ///< none: a plain connection
  uint64_t soft_since_ms_ = 0;            ///< since when the outbox is above the soft limit; 0: it is not
  uint64_t linger_until_ms_ = 0;
  int fd_;
  uint32_t place_ = 0;  ///< index in Reactor::slow_ while blocked or finishing
  uint32_t input_bytes_ = 0;
  uint32_t input_place_ = 0;  ///< index in Reactor::with_input_ while there are any
  uint32_t discarded_ = 0;
  uint32_t watched_ = 0;
  Reason reason_ = Reason::kNone;
  bool listed_ : 1 = false;  ///< in Reactor::slow_
  bool blocked_ : 1 = false;
  bool finishing_ : 1 = false;
  bool shut_down_ : 1 = false;
  bool peer_ended_ : 1 = false;  ///< the peer sends nothing more, but may still read
  bool paused_ : 1 = false;
};

/// Called when a stream has to be closed because its reader is too slow; the handler builds the last frame.
class SlowReaderPolicy {
 public:
  virtual void on_slow_reader(StreamHandler& handler, Reason reason) = 0;

 protected:
  ~SlowReaderPolicy() = default;
};

class Reactor final : public OutboxPool {
 public:
  Reactor(const OutboxLimits& limits, SlowReaderPolicy& policy);
  ~Reactor() override;

  EventLoop& loop() { return loop_; }

  /// To be called before there are `streams` streams, so that no list has to grow later. std::bad_alloc.
  void make_room(size_t streams);

  /// Sends what this turn has queued: one system call a connection, however many frames it has. With a linger time,
  /// what is not urgent waits until its oldest frame has waited that long.
  void flush();

  /// How long frames may gather before they are sent, in microseconds; 0: not at all. Set by the shard while it is
  /// busy: one system call then carries several events to a reader.
  void set_linger(uint32_t linger_us) { linger_us_ = linger_us; }
  /// What was sent of what may linger, since the last call.
  struct Gathered {
    uint64_t frames = 0;
    uint64_t sends = 0;
  };
  Gathered take_gathered() { return std::exchange(sent_, {}); }
  /// When flush() must be called again for what lingers; 0: nothing does. Monotonic microseconds.
  uint64_t linger_until_us() const { return flushed_ == dirty_.size() ? 0 : dirty_[flushed_].since_us + linger_us_; }

  /// While input is held, nothing is read from streams: what they ask for would have nowhere to go. The loop keeps
  /// reporting them, so it must be for moments only.
  void hold_input(bool held) { input_held_ = held; }

  /// Ends slow and lingering streams whose time is over. Called about once a second, and at once after a flush that
  /// left the shard over its budget. `now_ms`: monotonic.
  void sweep(uint64_t now_ms);

  void set_now(uint64_t now_us) {
    now_us_ = now_us;
    now_ms_ = now_us / 1'000;
  }

  /// Whether a stream is blocked, finishing or lingering, so that sweep() has something to look at.
  bool has_slow() const { return !slow_.empty(); }
  size_t slow_count() const { return slow_.size(); }

  uint64_t bytes_sent() const { return bytes_sent_; }
  uint64_t bytes_received() const { return bytes_received_; }
  uint64_t send_calls() const { return send_calls_; }

 private:
  friend class Stream;
  static constexpr size_t kReadBytes = 64 * 1024;
  static constexpr size_t kReadPadding = 64;
  static constexpr size_t kGatherBytes = 64 * 1024;
  static constexpr size_t kGatherFrames = 512;
  static constexpr size_t kVectorFrames = 64;
  static constexpr size_t kFlushesPerTurn = 128;
  static constexpr int kRecordsPerTurn = 4;  ///< TLS records read from one stream, so that others get their turn
  static constexpr uint32_t kHandshakesPerTurn = 16;   ///< steps of them: each may cost a signature
  static constexpr uint32_t kDirectBytes = 16 * 1024;  ///< frames from this size on are not worth copying

  void relieve(Outbox& outbox) override;
  void flush_urgent();
  void flush_due();
  void flush_one(Stream& stream);
  void check_limits(Stream& stream);
  void evict_over_budget();
  void evict_largest();
  bool evict(Stream& stream);
  void list(Stream& stream);
  void unlist(Stream& stream);
  std::span<const char> gather(const Stream& stream, std::span<Frame* const> frames);
  void forget_run();

  EventLoop loop_;
  SlowReaderPolicy& policy_;
  std::unique_ptr<char[]> read_buffer_;
  std::unique_ptr<char[]> gather_buffer_;
  std::vector<Frame*> run_;  ///< the frames that lie in gather_buffer_, when they were gathered from their start
  size_t run_bytes_ = 0;
  std::vector<Outbox*> flushing_;
  std::vector<Stream*> slow_;        ///< blocked, finishing or lingering streams
  std::vector<Stream*> with_input_;  ///< those that hold unfinished input
  uint64_t now_ms_ = 0;
  bool input_held_ = false;
  size_t flushed_ = 0;  ///< entries of dirty_ that are done with
  uint32_t linger_us_ = 0;
  Gathered sent_;
  uint32_t handshakes_ = 0;  ///< steps of this turn
  uint64_t bytes_sent_ = 0;
  uint64_t bytes_received_ = 0;
  uint64_t send_calls_ = 0;
};

inline Reactor& Stream::reactor() const {
  return static_cast<Reactor&>(pool());
}

}  // namespace kilat::net
