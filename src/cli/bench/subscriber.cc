#include "cli/bench/subscriber.h"

#include <algorithm>
#include <utility>

#include "cli/bench/clock.h"
#include "cli/version.h"

namespace kilat::cli::bench {

// Room for the data with every byte escaped once, and for the members around it.
Subscriber::Subscriber(Fleet& fleet, uint32_t index)
    : Socket(fleet.wire_), fleet_(fleet), session_(*this, 2 * fleet.plan_.payload_bytes + 256 * 1024), index_(index) {}

void Subscriber::connect(uint64_t now_ns) {
  started_ns_ = now_ns;
  state_ = State::kConnecting;
  open();
}

void Subscriber::expire() {
  if (state_ == State::kConnecting) finish({0, "not subscribed within 30 s"});
}

void Subscriber::goodbye() {
  if (std::exchange(state_, State::kOver) == State::kReady) {
    queue(ws::encode_masked_frame(ws::Opcode::kClose, "\x03\xe8", fleet_.mask()));
    flush();
  }
  close();
}

void Subscriber::on_open() {
  const Plan& plan = fleet_.plan_;
  const std::string path = plan.path_prefix + "/app/" + percent_encoded(plan.credentials.key) +
                           "?protocol=7&client=kilat-bench&version=" + std::string(version()) + "&flash=false";
  const uint64_t high = fleet_.random_.next();
  queue(session_.handshake(plan.authority(), path, make_handshake_key(high, fleet_.random_.next())));
}

void Subscriber::on_bytes(std::span<char> bytes) {
  read_ns_ = monotonic_ns();
  session_.feed(bytes);
}

void Subscriber::on_lost(const std::string& why) {
  finish({0, why});
}

bool Subscriber::on_text(std::string_view text) {
  const auto marker = fleet_.finder_.find(text);
  if (!marker) return false;
  fleet_.ledger_.arrived(index_, *marker, read_ns_);
  return true;
}

void Subscriber::on_established(std::string_view socket_id, uint32_t activity_timeout_s) {
  if (state_ != State::kConnecting) return;
  fleet_.connect_ns_.record(read_ns_ - started_ns_);
  if (activity_timeout_s > 0) {
    // Half the time the server grants: it never needs to ping, and one that does not ping keeps the connection.
    const uint64_t half_ns = uint64_t{activity_timeout_s} * 500'000'000;
    fleet_.ping_interval_ns_ = std::min(fleet_.ping_interval_ns_, half_ns);
  }
  const Plan& plan = fleet_.plan_;
  const std::string channel = plan.channel_name(plan.shape.channel_of(index_));
  std::string auth;
  if (plan.via == Via::kClientEvents) {
    auth = plan.credentials.key + ":" + fleet_.hmac_.hex(std::string(socket_id) + ":" + channel);
  }
  queue(text_frame(subscribe_message(channel, auth), fleet_.mask()));
}

void Subscriber::on_subscribed() {
  if (state_ != State::kConnecting) return;
  state_ = State::kReady;
  ++fleet_.established_;
  ++fleet_.live_;
  fleet_.last_established_ns_ = read_ns_;
  fleet_.ledger_.joined(index_);
}

void Subscriber::on_subscription_error(const Complaint& complaint) {
  finish(complaint);
}

void Subscriber::on_server_error(const Complaint& complaint) {
  if (state_ != State::kReady) return finish(complaint);
  fleet_.complaints_.add(Stage::kRun, complaint);
  last_error_ = complaint.code;
}

void Subscriber::on_end(const Complaint& complaint) {
  finish(complaint);
}

void Subscriber::send(std::string_view bytes) {
  queue(bytes);
}

void Subscriber::finish(const Complaint& complaint) {
  const State before = std::exchange(state_, State::kOver);
  close();
  if (before == State::kConnecting) {
    ++fleet_.failed_;
    fleet_.complaints_.add(Stage::kConnect, complaint);
  } else if (before == State::kReady) {
    ++fleet_.dropped_;
    --fleet_.live_;
    fleet_.ledger_.gone(index_);
    if (complaint.code == 0 || complaint.code != last_error_) fleet_.complaints_.add(Stage::kRun, complaint);
  }
}

}  // namespace kilat::cli::bench
