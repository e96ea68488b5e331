#include "noc/targets.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <stdexcept>
#include <utility>

namespace examples::noc {
namespace asio = boost::asio;
using asio::ip::tcp;
using Error = boost::system::error_code;

class DemoTarget : public std::enable_shared_from_this<DemoTarget> {
 public:
  DemoTarget(asio::io_context& context, ProbeKind kind) : acceptor_(context), kind_(kind) { open(0); }

  std::uint16_t port() const { return port_; }

  void listen() {
    acceptor_.listen();
    accept();
  }

  void set(TargetState state) {
    const bool listened = state_ != TargetState::kStopped;
    state_ = state;
    if (state == TargetState::kStopped && listened) {
      acceptor_.close();
      open(port_);
    } else if (state != TargetState::kStopped && !listened) {
      listen();
    }
  }

 private:
  struct Session {
    explicit Session(tcp::socket&& peer) : socket(std::move(peer)), timer(socket.get_executor()) {}
    tcp::socket socket;
    asio::steady_timer timer;
    std::string request;
    std::string answer;
  };
  using SessionPtr = std::shared_ptr<Session>;

  void open(std::uint16_t port) {
    const tcp::endpoint endpoint(asio::ip::address_v4::loopback(), port);
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(endpoint);
    port_ = acceptor_.local_endpoint().port();
  }

  void accept() {
    acceptor_.async_accept([self = shared_from_this()](Error error, tcp::socket&& peer) {
      if (error == asio::error::operation_aborted) return;
      if (!error && self->sessions_ < DemoTargets::kSessionsMax)
        self->serve(std::make_shared<Session>(std::move(peer)));
      if (self->acceptor_.is_open() && self->state_ != TargetState::kStopped) self->accept();
    });
  }

  void serve(const SessionPtr& session) {
    ++sessions_;
    session->timer.expires_after(DemoTargets::kSessionTime);
    session->timer.async_wait([session](Error cancelled) {
      Error ignored;
      if (!cancelled) session->socket.close(ignored);
    });
    if (kind_ != ProbeKind::kHttp) return answer_later(session);
    asio::async_read_until(session->socket, asio::dynamic_buffer(session->request, kAnswerBytesMax), "\r\n\r\n",
                           [self = shared_from_this(), session](Error error, std::size_t) {
                             if (error) return self->end(session);
                             self->answer_later(session);
                           });
  }

  void answer_later(const SessionPtr& session) {
    if (state_ != TargetState::kSlow) return answer(session);
    session->timer.expires_after(DemoTargets::kSlowness);
    session->timer.async_wait([self = shared_from_this(), session](Error) { self->answer(session); });
  }

  void answer(const SessionPtr& session) {
    session->answer =
        kind_ == ProbeKind::kHttp
            ? "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nup\n"
            : "220 ready\r\n";
    asio::async_write(session->socket, asio::buffer(session->answer),
                      [self = shared_from_this(), session](Error, std::size_t) { self->end(session); });
  }

  void end(const SessionPtr& session) {
    Error ignored;
    session->timer.cancel();
    session->socket.close(ignored);
    --sessions_;
  }

  tcp::acceptor acceptor_;
  ProbeKind kind_;
  std::uint16_t port_ = 0;
  std::size_t sessions_ = 0;
  TargetState state_ = TargetState::kRunning;
};

const std::vector<DemoSpec>& demo_specs() {
  static const std::vector<DemoSpec> specs{
      {"core-router", "Core router", ProbeKind::kBanner, ""},
      {"edge-firewall", "Edge firewall", ProbeKind::kBanner, ""},
      {"billing-portal", "Billing portal", ProbeKind::kHttp, ""},
      {"acme-gateway", "Acme gateway", ProbeKind::kHttp, "acme"},
      {"acme-voip", "Acme telephony", ProbeKind::kBanner, "acme"},
      {"harbor-gateway", "Harbor gateway", ProbeKind::kHttp, "harbor"},
      {"harbor-cameras", "Harbor cameras", ProbeKind::kHttp, "harbor"},
      {"lumen-uplink", "Lumen uplink", ProbeKind::kBanner, "lumen"},
  };
  return specs;
}

std::string_view name_of(TargetState state) {
  if (state == TargetState::kRunning) return "running";
  return state == TargetState::kSlow ? "slow" : "stopped";
}

DemoTargets::DemoTargets(Network& network) : network_(network) {
  for (const DemoSpec& spec : demo_specs()) {
    targets_.emplace_back(spec.key, std::make_shared<DemoTarget>(network.context(), spec.kind));
    targets_.back().second->listen();
  }
}

DemoTargets::~DemoTargets() = default;

const std::shared_ptr<DemoTarget>& DemoTargets::find(std::string_view key) const {
  for (const auto& [known, target] : targets_) {
    if (known == key) return target;
  }
  throw std::out_of_range("no such target");
}

std::uint16_t DemoTargets::port(std::string_view key) const {
  return find(key)->port();
}

void DemoTargets::set(std::string_view key, TargetState state) {
  asio::post(network_.context(), [target = find(key), state] {
    try {
      target->set(state);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "target: %s\n", error.what());
    }
  });
}

}  // namespace examples::noc
