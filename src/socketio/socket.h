// Socket: one namespace of one session: its rooms, its user, and the events that the server itself answers
// (docs/socketio.md). To the hub it is a subscriber like any Pusher session.
// Owner: its session; while it waits to be recovered, Recovery. Bounds: those of the app's settings.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/token_clock.h"
#include "base/allowance.h"
#include "hub/subscriber.h"
#include "socketio/handlers.h"
#include "socketio/notes.h"
#include "socketio/packet.h"
#include "socketio/replay.h"
#include "socketio/shard.h"

namespace kilat::socketio {

class Comeback;

/// Whether a subscriber of the hub is a Socket: the formats say to which protocol one belongs.
inline bool is_socket(const hub::Subscriber& subscriber) {
  return subscriber.format() >= kSharedFormat;
}

class Socket final : public hub::Subscriber {
 public:
  /// `pid`: what its client asks for it with; a new one when empty.
  Socket(Shard& shard, Session& session, const Namespace& nsp, std::string pid = {});
  ~Socket();

  const Namespace& nsp() const { return nsp_; }
  std::string id() const { return socket_id().compact_text(); }
  /// Null while it waits to be recovered.
  Session* session() const { return session_; }
  /// Empty when nobody is signed in.
  const std::string& user_id() const;
  auth::TokenClock& clock() { return clock_; }
  uint64_t opened_ms() const { return opened_ms_; }
  hub::App& app() const { return shard_.app_of(nsp_); }
  Replay* replay() { return replay_.get(); }
  /// False while it is not decided whether its client may have it.
  bool listed() const { return listed_; }

  /// Answers the CONNECT. `auth`: its payload, an object, or empty.
  void open(std::string_view auth);
  /// Takes no part any more: leaves all rooms. Safe to call again.
  void retire();
  /// The session has another transport.
  void transport_changed();
  /// Its connection is gone, and it waits for another; it goes on reading its rooms.
  void detach();
  /// Another session has it now: sends what came after event number `after`, and the answer to the CONNECT.
  void resume(Session& session, uint64_t after);

  /// Who its client is from now on, as a token or a signature has said.
  void become(auth::IdentityPtr who, bool by_token);
  /// Whether its client, who has come back as `who` (null: without a token), may go on as the user it was, in all the
  /// rooms that rules have let it into.
  bool still_allowed(const auth::Identity* who) const;
  /// Warns the client before its token expires; true when it has.
  bool check_token();

  void on_event(const Packet& packet, std::span<const std::string> attachments);
  void on_ack(const Packet& packet, std::span<const std::string> attachments);
  /// Answers an event of the client: `list` is a JSON list whose placeholders name the attachments.
  void acknowledge(uint64_t id, std::string_view list, std::span<const std::string> attachments);

  // From the hub, through the shard's sink.
  void on_joined(const hub::JoinReply& reply);
  void deliver_own(const hub::Publication& publication);
  void on_kick(Reason reason);
  void on_missed(std::string_view channel, uint64_t count);

  /// An event that was chosen for this socket by more than a room. A volatile one is dropped when the transport is not
  /// ready for it.
  void deliver(const hub::Publication& publication, bool is_volatile);
  /// The same with an acknowledgement asked for.
  void ask(const hub::Publication& publication, uint64_t ack_id);

  /// For the emit API: without a check of authorization.
  void join_channel(std::string_view channel);
  void leave_channel(std::string_view channel) { leave(channel); }
  /// Tells the client that it is over, and ends the socket; `close`: the whole session.
  void disconnect(bool close);

  // --- notes.cc: over a restart of the server
  /// Writes down its user and its rooms, if one of them is durable. The ticket of the registry, or 0.
  uint64_t save();
  /// What was written up to this ticket is on disk, or can't be.
  void on_written(uint64_t ticket);
  /// It is made anew for a client that had it in a run before, and waits for that; end_comeback() follows.
  void begin_comeback(Comeback& comeback, const Remembered& record);
  void end_comeback() { comeback_ = nullptr; }
  void enter_again(const RememberedRoom& room, std::unique_ptr<HistoryAsk> history);
  void enter_user_channel();
  /// Its client has seen what the room had up to there.
  void note_known(std::string_view channel, Position known);
  /// An event that its client has missed; `orders`: how far the durable ones of each home have come with it.
  void add_missed(const hub::Publication& publication, std::span<const uint64_t> orders);

  std::shared_ptr<SocketMemory> memory;  ///< see Handlers

 private:
  /// A client that waits to hear whether it has joined.
  struct Joining {
    std::string channel;
    std::optional<uint64_t> ack;
    std::optional<HistoryAsk> history = {};  ///< what it wants of the past
  };

  void choose_format();
  void answer(std::optional<uint64_t> ack, std::string_view json);
  void refuse(std::optional<uint64_t> ack, Reason reason);
  void send(net::FramePtr frame);
  void send_connected();
  void list();
  bool position_wanted(const hub::Publication& publication) const;

  // notes.cc
  void enter(const std::string& channel, hub::Member member, const hub::JoinOptions& options,
             std::unique_ptr<HistoryAsk> history);
  /// The ticket of what was written down, or 0.
  uint64_t leave(std::string_view channel);
  void note_joined(const hub::JoinReply& reply);
  void erase_record();
  void answer_when_saved(std::optional<uint64_t> ack, std::string json, uint64_t ticket);
  void push_event(net::FramePtr frame);
  bool collects() const;

  // gateway.cc
  bool on_built_in(const EventContent& event, std::optional<uint64_t> ack, std::span<const std::string> attachments);
  void subscribe(std::string_view argument, std::optional<uint64_t> ack);
  Reason check_channel(std::string_view channel) const;
  hub::Entry enter_signed(const Request& request, std::string_view channel);
  Reason read_member(const Request& request, hub::Member& member);
  void ask_backend(Request& request, const std::string& channel, std::optional<uint64_t> ack);
  void on_backend_answer(const std::string& channel, const auth::BackendAnswer& answer);
  /// Takes the waiting clients of a channel out of `waiting`.
  static std::vector<Joining> take_waiting(std::vector<Joining>& waiting, std::string_view channel);
  void join(const std::string& channel, hub::Entry entry, std::optional<uint64_t> ack,
            const std::optional<HistoryAsk>& history);
  bool signature_fits(const Request& request, std::string_view name);
  bool signature_fits(const std::optional<std::string>& auth, const std::string& text);
  void unsubscribe(std::string_view argument, std::optional<uint64_t> ack);
  void sign_in(std::string_view argument, std::optional<uint64_t> ack);
  void sign_in_with(std::string_view token, std::optional<uint64_t> ack);
  void on_identified(const auth::Authenticator::Outcome& who, std::optional<uint64_t> ack);
  void sign_in_as(auth::IdentityPtr who, bool by_token, std::optional<uint64_t> ack);
  void review_rights();
  static Socket* resolve(Shard& shard, hub::Handle handle);
  void publish(std::string_view argument, std::optional<uint64_t> ack, std::span<const std::string> attachments);
  Reason check_publish(const Request& request, std::string_view channel);
  void on_published(Reason refused, std::optional<uint64_t> ack);

  // suite.cc
  bool on_load_event(const EventContent& event, std::optional<uint64_t> ack);
  void echo(const EventContent& event, const Packet& packet, std::span<const std::string> attachments);

  Shard& shard_;
  Session* session_;
  const Namespace& nsp_;
  auth::IdentityPtr who_;  ///< null: nobody is signed in
  auth::TokenClock clock_;
  std::vector<Joining> joining_;
  std::vector<Joining> asking_;     ///< clients that wait for what the backend says
  std::unique_ptr<Replay> replay_;  ///< with recovery
  std::unique_ptr<Notes> notes_;    ///< with a registry
  Comeback* comeback_ = nullptr;    ///< while it is brought back after a restart
  Allowance published_;
  uint64_t opened_ms_;
  size_t place_ = 0;  ///< in Shard::sockets
  bool listed_ = false;
  bool identifying_ = false;  ///< a token is looked at
  bool by_token_ = false;     ///< the user comes from a token
  bool retired_ = false;
};

}  // namespace kilat::socketio
