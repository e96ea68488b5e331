// What the fake kernel knows. Shared by its two halves: kernel.cc (for the test) and system_calls.cc (for the server).
// Owner: the test's one thread; see kernel.h.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fake_net/kernel.h"

namespace kilat::fake_net {

inline constexpr uint64_t kStartUs = 600'000'000;
inline constexpr uint64_t kUnixStartS = 1'700'000'000;

enum class Kind : uint8_t { kSocket, kListener, kEvent, kEpoll };

struct Watch {
  uint32_t events;
  uint64_t data;
};

struct Descriptor {
  Kind kind = Kind::kSocket;
  bool open = false;
  bool closed = false;
  // Sockets.
  std::string to_server;
  std::string to_client;
  uint64_t window = kUnlimited;
  uint64_t send_max = kUnlimited;
  bool peer_ended = false;
  bool gone = false;
  bool reset = false;
  bool vanished = false;
  bool shut_down = false;
  // Listeners: descriptors that wait. Event descriptors: the count. Epoll: what is watched.
  std::deque<int> backlog;
  uint64_t count = 0;
  std::map<int, Watch> watched;
};

struct State {
  bool on = false;
  uint64_t now_us = kStartUs;
  uint64_t random = 1;
  uint64_t activity = 0;
  Fault fault;
  bool fault_happened = false;
  std::vector<std::unique_ptr<Descriptor>> descriptors;
};

State& state();
/// Null when `fd` is not one of ours.
Descriptor* find(int fd);
int make(Kind kind);
/// The error with which this call has to fail; 0: none.
int fault_of(Call call);
uint32_t ready_events(const Descriptor& descriptor);

}  // namespace kilat::fake_net
