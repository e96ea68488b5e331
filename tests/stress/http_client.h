// HttpClient: one keep-alive connection to the HTTP API with pipelined, signed requests.
// Owner: the stress program's one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "stress/socket.h"
#include "stress/wire.h"

namespace kilat::stress {

class HttpClient final : public Socket {
 public:
  /// Status 0: the connection ended before the answer came.
  using Answered = std::function<void(int status, std::string_view body)>;

  HttpClient(Poller& poller, uint16_t port, int receive_bytes = 0) : Socket(poller, port, receive_bytes) {}

  /// `path` below /apps/ID, for example "/events". Answers come in the order of the requests.
  void request(std::string_view method, std::string_view path, const Parameters& parameters, std::string_view body,
               Answered answered);
  /// The same without a signature; `target` is a whole path with its query.
  void plain_request(std::string_view method, std::string_view target, std::string_view body, Answered answered);
  size_t unanswered() const { return waiting_.size(); }
  /// Resets the connection; what was unanswered gets status 0.
  void drop();

 private:
  void on_bytes(std::span<char> bytes) override;
  void on_end(int error) override;

  std::string in_;
  std::deque<Answered> waiting_;
};

}  // namespace kilat::stress
