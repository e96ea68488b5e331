#include "fake_net/kernel.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "fake_net/kernel_state.h"

namespace kilat::fake_net {

State& state() {
  static State* const kept = new State;  // never destroyed: other static objects close descriptors at exit
  return *kept;
}

Descriptor* find(int fd) {
  State& s = state();
  const auto index = static_cast<size_t>(fd - kFirstDescriptor);
  return fd >= kFirstDescriptor && index < s.descriptors.size() ? s.descriptors[index].get() : nullptr;
}

int make(Kind kind) {
  State& s = state();
  if (s.descriptors.size() >= static_cast<size_t>(kDescriptorsMax)) std::abort();
  s.descriptors.push_back(std::make_unique<Descriptor>());
  s.descriptors.back()->kind = kind;
  s.descriptors.back()->open = kind != Kind::kSocket;  // a socket is opened by accept4()
  return kFirstDescriptor + static_cast<int>(s.descriptors.size() - 1);
}

int fault_of(Call call) {
  State& s = state();
  if (s.fault.nth == 0 || s.fault.call != call || --s.fault.nth > 0) return 0;
  s.fault_happened = true;
  return s.fault.error;
}

uint32_t ready_events(const Descriptor& d) {
  switch (d.kind) {
    case Kind::kListener: return d.backlog.empty() ? 0u : uint32_t{EPOLLIN};
    case Kind::kEvent: return d.count > 0 ? uint32_t{EPOLLIN} : 0u;
    case Kind::kEpoll: return 0;
    case Kind::kSocket: break;
  }
  if (d.reset) return EPOLLIN | EPOLLOUT | EPOLLHUP | EPOLLERR;
  uint32_t events = 0;
  if (!d.to_server.empty() || d.peer_ended) events |= EPOLLIN;
  if (d.window > 0) events |= EPOLLOUT;
  if (d.peer_ended && d.shut_down) events |= EPOLLHUP;
  return events;
}

void begin(uint64_t seed) {
  const InHarness inside;
  State& s = state();
  s = State();
  s.on = true;
  s.random = seed * 2 + 1;
}

int end() {
  const InHarness inside;
  State& s = state();
  const auto open =
      std::ranges::count_if(s.descriptors, [](const auto& descriptor) { return descriptor && descriptor->open; });
  s.on = false;
  s.descriptors.clear();
  return static_cast<int>(open);
}

void advance_us(uint64_t us) {
  state().now_us += us;
}
uint64_t now_ms() {
  return state().now_us / 1'000;
}
uint64_t unix_s() {
  return kUnixStartS + state().now_us / 1'000'000;
}
uint64_t activity() {
  return state().activity;
}

void arm(const Fault& fault) {
  state().fault = fault;
  state().fault_happened = false;
}
bool disarm() {
  State& s = state();
  s.fault = {};
  return std::exchange(s.fault_happened, false);
}

int listener() {
  const InHarness inside;
  return make(Kind::kListener);
}

Peer::Peer(int listener) {
  const InHarness inside;
  fd_ = make(Kind::kSocket);
  find(listener)->backlog.push_back(fd_);
}

void Peer::send(std::string_view bytes) const {
  const InHarness inside;
  Descriptor& d = *find(fd_);
  if (!d.peer_ended && !d.vanished) d.to_server += bytes;
}

std::string Peer::receive() const {
  const InHarness inside;
  Descriptor& d = *find(fd_);
  return d.vanished ? std::string() : std::exchange(d.to_client, {});
}

void Peer::open_window(uint64_t bytes) const {
  find(fd_)->window = bytes;
}
void Peer::limit_sends(uint64_t bytes) const {
  find(fd_)->send_max = bytes;
}
void Peer::half_close() const {
  find(fd_)->peer_ended = true;
}
// The kernel takes what is still sent to a process that is gone, and answers the first packet with a reset.
void Peer::close() const {
  Descriptor& d = *find(fd_);
  d.peer_ended = d.gone = true;
}
void Peer::reset() const {
  Descriptor& d = *find(fd_);
  d.reset = d.peer_ended = true;
  d.to_server.clear();
}
void Peer::vanish() const {
  Descriptor& d = *find(fd_);
  d.vanished = true;
  d.window = 0;
}

bool Peer::accepted() const {
  return find(fd_)->open || find(fd_)->closed;
}
bool Peer::ended() const {
  return find(fd_)->shut_down || find(fd_)->closed;
}
bool Peer::closed() const {
  return find(fd_)->closed;
}

}  // namespace kilat::fake_net
