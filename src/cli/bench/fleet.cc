#include "cli/bench/fleet.h"

#include <algorithm>

#include "cli/bench/schedule.h"
#include "cli/bench/subscriber.h"

namespace kilat::cli::bench {
namespace {

// Half of the 120 s that Pusher names, for servers that name none.
constexpr uint64_t kPingIntervalNs = 60 * kNsPerSecond;

constexpr std::string_view kPing = R"({"event":"pusher:ping","data":{}})";

}  // namespace

Fleet::Fleet(const Plan& plan, Wire& wire, Ledger& ledger, Complaints& complaints)
    : plan_(plan),
      wire_(wire),
      ledger_(ledger),
      complaints_(complaints),
      finder_(plan.run),
      hmac_(plan.credentials.secret),
      ping_interval_ns_(kPingIntervalNs) {
  members_.reserve(plan.shape.connections);
  for (uint32_t i = 0; i < plan.shape.connections; ++i) members_.push_back(std::make_unique<Subscriber>(*this, i));
}

Fleet::~Fleet() = default;

void Fleet::turn(uint64_t now_ns) {
  if (start_ns_ == 0) start_ns_ = now_ns;
  expire(now_ns);
  start(now_ns);
  ping(now_ns);
}

void Fleet::start(uint64_t now_ns) {
  const uint64_t due = 1 + (now_ns - start_ns_) / 1000 * plan_.connect_rate / 1'000'000;
  while (started_ < due && started_ < members_.size() && pending_.size() < kPendingMax) {
    pending_.push_back(started_);
    members_[started_++]->connect(now_ns);
  }
}

void Fleet::expire(uint64_t now_ns) {
  while (!pending_.empty()) {
    Subscriber& oldest = *members_[pending_.front()];
    if (oldest.state() == Subscriber::State::kConnecting) {
      if (now_ns < oldest.started_ns() + kConnectTimeoutNs) break;
      oldest.expire();
    }
    pending_.pop_front();
  }
  std::erase_if(pending_, [&](uint32_t i) { return members_[i]->state() != Subscriber::State::kConnecting; });
}

// Pings are spread over the interval: all at once would be a load of its own.
void Fleet::ping(uint64_t now_ns) {
  const uint64_t count = members_.size();
  const uint64_t past_us = (now_ns - start_ns_) / 1000;
  const uint64_t interval_us = ping_interval_ns_ / 1000;
  const uint64_t due = past_us / interval_us * count + past_us % interval_us * count / interval_us;
  for (; pings_ < due; ++pings_) {
    const auto connection = static_cast<uint32_t>(pings_ % count);
    if (can_send(connection)) send_text(connection, kPing);
  }
}

void Fleet::stop_connecting() {
  for (const uint32_t connection : pending_) members_[connection]->goodbye();
  pending_.clear();
  started_ = plan_.shape.connections;
}

uint64_t Fleet::next_ns(uint64_t now_ns) const {
  if (started_ == members_.size() || pending_.size() >= kPendingMax) return now_ns + 100'000'000;
  return std::max(now_ns, start_ns_ + uint64_t{started_} * kNsPerSecond / plan_.connect_rate);
}

double Fleet::connects_per_second() const {
  if (established_ == 0 || last_established_ns_ <= start_ns_) return 0;
  return established_ / (static_cast<double>(last_established_ns_ - start_ns_) / 1e9);
}

bool Fleet::is_live(uint32_t connection) const {
  return members_[connection]->state() == Subscriber::State::kReady;
}

bool Fleet::can_send(uint32_t connection) const {
  const Subscriber& member = *members_[connection];
  return member.state() == Subscriber::State::kReady && !member.busy();
}

void Fleet::send_text(uint32_t connection, std::string_view text) {
  members_[connection]->queue(text_frame(text, mask()));
}

void Fleet::close() {
  for (const auto& member : members_) member->goodbye();
}

}  // namespace kilat::cli::bench
