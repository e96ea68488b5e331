#include "stress/http_client.h"

#include <charconv>
#include <utility>

#include "base/clock.h"

namespace kilat::stress {
namespace {

// The number behind `name` in the head of an answer; 0 when it is missing.
size_t number_after(std::string_view head, std::string_view name) {
  size_t value = 0;
  const size_t at = head.find(name);
  if (at != std::string_view::npos) {
    std::from_chars(head.data() + at + name.size(), head.data() + head.size(), value);
  }
  return value;
}

}  // namespace

void HttpClient::request(std::string_view method, std::string_view path, const Parameters& parameters,
                         std::string_view body, Answered answered) {
  plain_request(method, signed_target(method, path, parameters, body, unix_ms() / 1000), body, std::move(answered));
}

void HttpClient::plain_request(std::string_view method, std::string_view target, std::string_view body,
                               Answered answered) {
  std::string text(method);
  text.append(" ").append(target).append(" HTTP/1.1\r\nHost: stress\r\nContent-Length: ");
  text.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
  waiting_.push_back(std::move(answered));
  send(text);
}

void HttpClient::on_bytes(std::span<char> bytes) {
  in_.append(bytes.data(), bytes.size());
  while (!waiting_.empty()) {
    const size_t end = in_.find("\r\n\r\n");
    if (end == std::string::npos) return;
    const std::string_view head(in_.data(), end + 2);
    const size_t length = number_after(head, "Content-Length: ");
    if (in_.size() < end + 4 + length) return;
    const auto status = static_cast<int>(number_after(head, "HTTP/1.1 "));
    const std::string body = in_.substr(end + 4, length);
    in_.erase(0, end + 4 + length);
    const Answered answered = std::move(waiting_.front());
    waiting_.pop_front();
    answered(status, body);
  }
}

void HttpClient::on_end(int) {
  for (const Answered& answered : std::exchange(waiting_, {})) answered(0, {});
}

void HttpClient::drop() {
  reset();
  on_end(0);
}

}  // namespace kilat::stress
