// Recovery: the sockets of clients whose connection broke, for the time in which they may come back. A kept socket goes
// on reading its rooms; what it missed lies in its Replay.
// Owner: Shard. Bounds: kKeptMax sockets, each for Options::recovery_ms and with the bytes of its Replay.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/timer_wheel.h"
#include "socketio/shard.h"

namespace kilat::socketio {

class Recovery {
 public:
  static constexpr size_t kKeptMax = 10'000;

  explicit Recovery(Shard& shard) : shard_(shard) {}
  ~Recovery();

  /// Whether sockets of a session that ends for `reason` are kept: not when one side meant it.
  bool keeps(Reason reason) const;
  void keep(std::unique_ptr<Socket> socket);

  /// What the payload of a CONNECT asks for.
  struct Asked {
    std::string pid;
    std::optional<std::string> offset;
    hub::ShardIndex shard = 0;  ///< where the socket is, if anywhere
  };
  /// Nothing when it asks for nothing that could be there.
  std::optional<Asked> read(std::string_view payload) const;
  /// A socket for its client, and the last event that this has seen.
  struct Taken {
    std::unique_ptr<Socket> socket;
    uint64_t after = 0;
  };
  /// The socket on this shard that is asked for, if its client may have it: then it is its no longer. Takes it from a
  /// session that has not noticed yet that its connection is dead.
  std::optional<Taken> take(const Session& session, const Namespace& nsp, const Asked& asked);
  /// Ends a kept socket.
  void drop(Socket& socket);
  void clear();

 private:
  struct Kept : Timer {
    Kept();
    ~Kept();
    static void on_timer(Timer& timer);
    Recovery* recovery = nullptr;
    std::unique_ptr<Socket> socket;
  };
  std::unique_ptr<Socket> take_live(const std::string& pid, const Namespace& nsp, const Session& session);

  Shard& shard_;
  std::unordered_map<std::string, std::unique_ptr<Kept>> kept_;  ///< by pid
};

}  // namespace kilat::socketio
