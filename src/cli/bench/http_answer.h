// HttpAnswer: the bytes of one HTTP/1.1 answer in, status, headers and body out. The grammar is Boost.Beast's.
// Owner: one connection; one thread. Does no I/O. Bounds: 16 KiB of header, 64 KiB of body.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "cli/bench/complaints.h"

namespace kilat::cli::bench {

class HttpAnswer {
 public:
  HttpAnswer();
  ~HttpAnswer();
  HttpAnswer(HttpAnswer&&) noexcept;
  HttpAnswer& operator=(HttpAnswer&&) noexcept;

  /// Takes bytes from the front of `in`, up to the end of the answer. False when it is malformed or too big. What
  /// follows a complete answer (frames after a 101) is left in `in`.
  [[nodiscard]] bool feed(std::span<char>& in);

  bool complete() const;
  int status() const;
  bool keep_alive() const;
  std::string_view header(std::string_view name) const;
  const std::string& body() const;

  /// The status with the server's own words: {"error":"…"} where the body is that, else its first line, else the
  /// reason phrase.
  Complaint complaint() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kilat::cli::bench
