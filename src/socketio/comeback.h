// Comebacks: clients of sockets that this server had before it was restarted. Such a socket is remembered by its record
// (remembered.h); when its client comes, it is made anew, joins its rooms, and gets what the durable ones have in their
// histories since, in the order in which it would have come. What comes live meanwhile goes behind that.
// Owner: Shard. Bounds: Recovery::kKeptMax records, for Options::recovery_ms after the start; a client waits for
// Comeback::kWaitMs at most, and what it missed for Options::recovery_bytes_max.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/authenticator.h"
#include "base/timer_wheel.h"
#include "hub/command.h"
#include "socketio/recovery.h"
#include "socketio/remembered.h"

namespace kilat::socketio {

class Comebacks;

/// One of them that is on its way. Owner: Comebacks.
class Comeback : public Timer {
 public:
  static constexpr uint64_t kWaitMs = 5'000;

  Comeback(Comebacks& owner, std::string sid, const Namespace& nsp, std::string auth, auth::IdentityPtr who);
  ~Comeback();

  // --- for its socket
  void on_joined(Socket& socket, const hub::JoinReply& reply);
  void on_live(const hub::Publication& publication);
  void fail();
  /// Not all rooms are joined: what comes for the socket comes here.
  bool collects() const { return state_ == State::kJoining || state_ == State::kJoined; }

 private:
  friend class Comebacks;
  enum class State : uint8_t { kJoining, kJoined, kWriting, kReady, kFailed };
  struct Event {
    uint64_t order;  ///< where it belongs: its own, or of the last durable one before it
    size_t index;    ///< in which it came
    hub::PublicationPtr publication;
  };
  static void on_timer(Timer& timer);
  void join_rooms(const Remembered& record, const std::optional<Offset>& offset);
  void add(const hub::PublicationPtr& publication, uint64_t order);
  /// Has the socket keep all that has come, in order. False: it is more than may be kept.
  bool settle();
  void set(State state);

  Comebacks& owner_;
  std::string sid_;
  const Namespace& nsp_;
  std::string auth_;
  auth::IdentityPtr who_;  ///< as the client has shown now; may be null
  std::unique_ptr<Socket> socket_;
  State state_ = State::kJoining;
  size_t awaited_ = 1;  ///< answers of homes, and the end of asking
  std::vector<Event> events_;
  uint64_t bytes_ = 0;
  uint64_t live_order_ = 0;  ///< of the last durable event that came live
  uint64_t ticket_ = 0;
};

class Comebacks {
 public:
  explicit Comebacks(Shard& shard);
  ~Comebacks();

  /// A record of the registry; false: it is not wanted. At the start, before anybody comes.
  bool remember(std::string key, std::string_view record);
  /// After the last of them: forgets them when their time is over.
  void start();

  /// The client asks for a socket that is remembered, and gets it later, or a new one: Session::on_comeback(). False:
  /// it is not remembered, or not for this client.
  bool begin(Session& session, const Namespace& nsp, std::string_view auth, const Recovery::Asked& asked,
             const auth::IdentityPtr& who);
  /// The record of a socket is written.
  void on_written(uint64_t ticket);
  /// Brings to an end what is ready.
  void finish_turn();
  size_t remembered() const { return records_.size(); }
  void clear();

 private:
  friend class Comeback;
  struct Expiry : Timer {
    explicit Expiry(Comebacks& owner_in) : Timer(&Comebacks::on_expired), owner(owner_in) {}
    Comebacks& owner;
  };
  static void on_expired(Timer& timer);
  static auth::IdentityPtr user_of(const Remembered& record, const auth::IdentityPtr& shown);
  bool may_have(const Remembered& record, const Namespace& nsp, const auth::Identity* who, bool shown) const;
  static bool offset_fits(const Remembered& record, const std::optional<Offset>& offset, const ServerRun& now);
  void go_on(Comeback& comeback);
  void finish(Comeback& comeback);

  Shard& shard_;
  Expiry expiry_;
  std::unordered_map<std::string, Remembered> records_;  ///< by registry_key()
  std::vector<std::unique_ptr<Comeback>> under_way_;
  bool due_ = false;  ///< one of them can go on
};

}  // namespace kilat::socketio
