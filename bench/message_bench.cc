// The way of a message: parsing a client's text, publishing to readers, sending to sockets.
#include <benchmark/benchmark.h>

#include <string>

#include "counters.h"
#include "pusher/encode.h"
#include "pusher/message.h"
#include "world.h"

namespace kilat::bench {
namespace {

/// A JSON string literal: what the hub carries as data.
std::string data_of(size_t size) {
  return '"' + std::string(size, 'x') + '"';
}

std::string client_event(size_t size) {
  return R"({"event":"client-move","channel":"room","data":)" + data_of(size) + "}";
}

void pusher_parse(benchmark::State& state, const std::string& message) {
  const std::string padded = message + std::string(ws::kPadding, '\0');
  const std::string_view text = std::string_view(padded).substr(0, message.size());
  pusher::MessageParser parser;
  Counters counters(state);
  for (auto _ : state) {
    const std::optional<pusher::ClientMessage> parsed = parser.parse(text);
    if (!parsed) return state.SkipWithError("malformed");
    benchmark::DoNotOptimize(&*parsed);
  }
}
BENCHMARK_CAPTURE(pusher_parse, ping, R"({"event":"pusher:ping","data":{}})");
BENCHMARK_CAPTURE(pusher_parse, client_event_200, client_event(200));
BENCHMARK_CAPTURE(pusher_parse, client_event_4096, client_event(4096));

void pusher_encode(benchmark::State& state, bool deflated) {
  const hub::PublicationPtr publication = hub::Publication::make(
      {.channel = World::kChannel, .event = "order-shipped", .data = data_of(static_cast<size_t>(state.range(0)))});
  pusher::PublicationEncoder encoder;
  ws::Deflater deflater;
  Counters counters(state);
  for (auto _ : state) {
    const net::FramePtr frame = encoder.frame(*publication, deflated ? &deflater : nullptr);
    benchmark::DoNotOptimize(frame.get());
  }
}
BENCHMARK_CAPTURE(pusher_encode, plain, false)->Arg(200)->Arg(4096);
BENCHMARK_CAPTURE(pusher_encode, deflated, true)->Arg(200)->Arg(4096);

// From the bytes that came to the answer on the outbox.
void session_ping(benchmark::State& state) {
  World world;
  pusher::Session& session = world.join();
  Input ping(R"({"event":"pusher:ping","data":{}})");
  world.empty_outboxes();
  Counters counters(state);
  for (auto _ : state) {
    session.on_bytes(ping.fresh());
    world.empty_outboxes();
  }
}
BENCHMARK(session_ping);

// From the draft through the channel's home to the readers' outboxes, which are emptied again.
void publish_to_readers(benchmark::State& state) {
  World world;
  for (int64_t i = 0; i < state.range(0); ++i) world.join();
  const std::string data = data_of(200);
  world.empty_outboxes();
  Counters counters(state);
  for (auto _ : state) {
    world.hub().publish(hub::Publication::make({.channel = World::kChannel, .event = "order-shipped", .data = data}));
    world.empty_outboxes();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(publish_to_readers)->Arg(1)->Arg(1'000);

// The same from the bytes of a client event; the sender does not get it.
void client_event_to_readers(benchmark::State& state) {
  World world;
  pusher::Session& sender = world.join();
  for (int64_t i = 0; i < state.range(0); ++i) world.join();
  Input event(client_event(200));
  world.empty_outboxes();
  Counters counters(state);
  for (auto _ : state) {
    sender.on_bytes(event.fresh());
    world.empty_outboxes();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(client_event_to_readers)->Arg(1)->Arg(1'000);

// Several events to 100 sockets with the flush at the end of a turn. The kernel's part is in the time, not in the
// instructions.
void publish_and_flush_to_100_sockets(benchmark::State& state) {
  constexpr int kSockets = 100;
  constexpr int64_t kEventsUnread = 64;  // far from what a socket pair holds
  World world;
  for (int i = 0; i < kSockets; ++i) world.join_over_socket();
  const std::string data = data_of(200);
  world.reactor().flush();
  world.read_peers();
  int64_t unread = 0;
  Counters counters(state);
  for (auto _ : state) {
    for (int64_t i = 0; i < state.range(0); ++i) {
      world.hub().publish(hub::Publication::make({.channel = World::kChannel, .event = "order-shipped", .data = data}));
    }
    world.reactor().flush();
    if ((unread += state.range(0)) < kEventsUnread) continue;
    counters.pause();
    if (world.reactor().bytes() != 0) return state.SkipWithError("a socket was full");
    world.read_peers();
    unread = 0;
    counters.resume();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0) * kSockets);
}
BENCHMARK(publish_and_flush_to_100_sockets)->Arg(1)->Arg(4);

}  // namespace
}  // namespace kilat::bench
