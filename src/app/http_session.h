// HttpSession: the HTTP side of a connection: requests in, answers out in the order of the requests (pipelining), with
// the time limits of slow clients.
// Owner: one Connection. Bounds: kPipelineMax unanswered requests, then reading pauses; header and body sizes by
// settings; an idle keep-alive connection holds no buffer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/service.h"
#include "app/ingest_upload.h"
#include "app/routes.h"
#include "app/tap.h"
#include "app/traffic.h"
#include "base/timer_wheel.h"
#include "http/request_parser.h"
#include "http/response.h"

namespace kilat::app {

class Connection;
class Shard;

class HttpSession final : private Timer {
 public:
  static constexpr size_t kPipelineMax = 64;
  /// A ticket is the session's id and, in its lower bits, the number of the request on this connection.
  static constexpr unsigned kSequenceBits = 24;
  static constexpr uint32_t kSequenceMask = (1u << kSequenceBits) - 1;

  HttpSession(Shard& shard, Connection& connection);
  ~HttpSession();

  void on_bytes(std::span<char> bytes);

  /// Heap bytes of unfinished requests, and of input that waits.
  size_t buffered() const {
    return parser_.buffered() + (backlog_.empty() ? 0 : backlog_.capacity()) + (upload_ ? upload_->buffered() : 0);
  }

  /// The answer to a request that had to wait; `sequence` is its number on this connection. Without memory for it, the
  /// connection gives up.
  void answer(uint32_t sequence, const http::Response& response);
  void give_up();

  /// The body that is read as it comes: a piece of it was written, or it has something to do.
  void on_piece(api::Ticket ticket, const store::Outcome<store::AcceptedJob>& outcome);
  void go_on(api::Ticket ticket);

  /// The client sends no more. True when it still has answers to come.
  bool on_end();
  /// All answers are sent: what had to wait for that goes on.
  void on_drained();

  /// The server drains: answers what was asked, then ends.
  void say_goodbye();

  /// Ends the connection after what is queued.
  void finish(Reason reason);

 private:
  static constexpr size_t kSlotsKept = 4;  ///< room an idle connection keeps

  enum class Waiting : uint8_t { kFirstRequest, kRequest, kNextRequest };
  struct Slot {
    bool done = false;
    bool keep_alive = true;
    bool head_only = false;
    HttpRoute route = HttpRoute::kOther;
    int minor_version = 1;
    std::string origin;
    std::string path;  ///< for the log; only filled when it will be read
    std::string bytes;
  };

  static void on_timer(Timer& timer);
  void on_time_limit();
  void wait_for(Waiting waiting);
  void take(std::span<char> bytes);
  bool parse(std::span<char> bytes);
  bool full();
  bool handle_request(std::span<char> rest);
  bool upgrade(const http::Request& request, const Route& route, std::span<char> rest);
  bool refuse_upgrade(const http::Request& request, const Route& route, Reason reason);
  void begin_upload();
  void follow_upload(http::Status status);
  template <typename Work>
  void work_on_upload(api::Ticket ticket, Work&& work);
  void poll(const http::Request& request, bool echo);
  void abandon_poll(bool draining);
  void answer_request(const http::Request& request, const Route& route);
  bool ask_program(const http::Request& request, const Route& route);
  void answer_admin(const http::Request& request, Slot& slot);
  api::Ticket last_ticket();
  void handle_error(Reason reason);
  void prepare_tail(const api::Tail& tail, const http::Request& request);
  void push_continue();
  Slot& new_slot(const http::Request& request);
  void finish_slot(Slot& slot);
  void fill(Slot& slot, const http::Response& response, bool preflight);
  void take_answer(Slot& slot, const http::Response& response);
  void send_ready();

  Shard& shard_;
  Connection& connection_;
  http::RequestParser parser_;
  std::vector<Slot> slots_;  ///< unanswered requests, and answers that wait for an earlier one
  size_t slot_bytes_ = 0;    ///< of these answers
  std::string backlog_;      ///< input that waits until slots are free
  uint64_t id_;
  uint32_t first_sequence_ = 0;  ///< of slots_.front()
  Waiting waiting_ = Waiting::kFirstRequest;
  uint64_t due_ms_ = 0;   ///< the end of that; the timer may be armed for an earlier time
  std::string poll_sid_;  ///< of a Socket.IO session whose poll is not answered
  uint64_t poll_ticket_ = 0;
  std::unique_ptr<IngestUpload> upload_;  ///< the body that is read as it comes, until it is answered
  api::Ticket upload_ticket_ = 0;
  std::optional<Taps::Tap> tail_;  ///< begins when the answers before it are sent
  bool last_ = false;              ///< no request is taken any more
  bool tailing_ = false;
  bool ended_ = false;    ///< the client has shut down its side
  bool goodbye_ = false;  ///< the next answer is the last
  bool taking_ = false;
  bool noted_ = false;  ///< the shard knows where an answer that comes later goes
};

}  // namespace kilat::app
