#include "noc/probe.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <memory>
#include <utility>

namespace examples::noc {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Error = boost::system::error_code;
using Clock = std::chrono::steady_clock;

constexpr std::array<std::pair<ProbeKind, std::string_view>, 3> kNames{
    {{ProbeKind::kTcp, "tcp"}, {ProbeKind::kBanner, "banner"}, {ProbeKind::kHttp, "http"}}};

/// The status of "HTTP/1.1 200 OK"; 0 for anything else.
int status_of(std::string_view line) {
  int status = 0;
  if (!line.starts_with("HTTP/1.") || line.size() < 12) return 0;
  std::from_chars(line.data() + 9, line.data() + 12, status);
  return status;
}

class Probe : public std::enable_shared_from_this<Probe> {
 public:
  Probe(asio::io_context& context, const ProbeTarget& target, std::function<void(ProbeResult)> done)
      : target_(target), socket_(context), timer_(context), done_(std::move(done)) {}

  void start(std::chrono::milliseconds timeout) {
    Error error;
    const asio::ip::address address = asio::ip::make_address(target_.address, error);
    if (error) return finish("no IP address");
    timer_.expires_after(timeout);
    timer_.async_wait([self = shared_from_this()](Error cancelled) {
      if (!cancelled) self->finish("no answer in time");
    });
    socket_.async_connect({address, target_.port}, [self = shared_from_this()](Error failed) {
      if (failed) return self->finish(failed.message());
      self->connected();
    });
  }

 private:
  void connected() {
    if (target_.kind == ProbeKind::kTcp) return finish({});
    if (target_.kind == ProbeKind::kBanner) return read();
    const bool v6 = target_.address.contains(':');
    request_ = "GET " + target_.path + " HTTP/1.1\r\nHost: " + (v6 ? "[" + target_.address + "]" : target_.address) +
               ":" + std::to_string(target_.port) + "\r\nUser-Agent: noc-monitor\r\nConnection: close\r\n\r\n";
    asio::async_write(socket_, asio::buffer(request_), [self = shared_from_this()](Error failed, std::size_t) {
      if (failed) return self->finish(failed.message());
      self->read();
    });
  }

  void read() {
    asio::async_read_until(socket_, asio::dynamic_buffer(answer_, kAnswerBytesMax), '\n',
                           [self = shared_from_this()](Error failed, std::size_t) {
                             if (failed) return self->finish(failed.message());
                             self->answered();
                           });
  }

  void answered() {
    if (target_.kind == ProbeKind::kBanner) return finish({});
    const int status = status_of(answer_);
    if (status == 0) return finish("not an HTTP answer");
    finish(status < 500 ? std::string() : "HTTP " + std::to_string(status));
  }

  void finish(std::string error) {
    if (!done_) return;
    Error ignored;
    timer_.cancel();
    socket_.close(ignored);
    const std::chrono::duration<double, std::milli> taken = Clock::now() - begun_;
    std::exchange(done_, nullptr)({.answered = error.empty(), .latency_ms = taken.count(), .error = std::move(error)});
  }

  ProbeTarget target_;
  tcp::socket socket_;
  asio::steady_timer timer_;
  std::function<void(ProbeResult)> done_;
  Clock::time_point begun_ = Clock::now();
  std::string request_;
  std::string answer_;
};

}  // namespace

std::string_view name_of(ProbeKind kind) {
  for (const auto& [known, name] : kNames) {
    if (known == kind) return name;
  }
  return "tcp";
}

std::optional<ProbeKind> probe_kind_of(std::string_view name) {
  for (const auto& [kind, known] : kNames) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

void probe(boost::asio::io_context& context, const ProbeTarget& target, std::chrono::milliseconds timeout,
           std::function<void(ProbeResult)> done) {
  std::make_shared<Probe>(context, target, std::move(done))->start(timeout);
}

}  // namespace examples::noc
