// The WebSocket layer: reading what a client sends, writing frames, compression.
#include <benchmark/benchmark.h>

#include <cstring>
#include <string>

#include "counters.h"
#include "ws/deflate.h"
#include "ws/frame.h"
#include "ws/mask.h"
#include "ws/reader.h"
#include "ws/utf8.h"

namespace kilat::bench {
namespace {

/// Text as chats send it: mostly ASCII, now and then not.
std::string mixed_text(size_t size) {
  std::string text;
  while (text.size() + 40 < size) text += "The quick brown fox, später das Übliche ";
  text.append(size - text.size(), 'x');
  return text;
}

/// JSON of about `size` bytes that compresses as events do.
std::string json_text(size_t size) {
  std::string json = R"({"event":"order-shipped","channel":"private-shop-17","data":"[)";
  for (int i = 0; json.size() + 60 < size; ++i) {
    json += R"({\"id\":)" + std::to_string(i * 7'919) + R"(,\"state\":\"shipped\"},)";
  }
  return json + "]\"}";
}

// Unmasking happens in place, so each message is copied first, as the kernel would do it.
void ws_read_message(benchmark::State& state) {
  const std::string sent =
      ws::encode_masked_frame(ws::Opcode::kText, mixed_text(static_cast<size_t>(state.range(0))), 0x37fa213d);
  std::string buffer(sent.size() + ws::kPadding, '\0');
  ws::Reader reader{ws::ReaderOptions{}};
  Counters counters(state);
  for (auto _ : state) {
    std::memcpy(buffer.data(), sent.data(), sent.size());
    std::span<char> in(buffer.data(), sent.size());
    ws::Event event = reader.next(in);
    if (event.kind != ws::Event::Kind::kText) return state.SkipWithError("not a text");
    benchmark::DoNotOptimize(event);
    event = reader.next(in);
    benchmark::DoNotOptimize(event);
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(ws_read_message)->Arg(200)->Arg(4096);

void ws_mask(benchmark::State& state) {
  std::string bytes = mixed_text(static_cast<size_t>(state.range(0)));
  uint32_t key = 0x37fa213d;
  Counters counters(state);
  for (auto _ : state) {
    key = ws::apply_mask(bytes, key);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(ws_mask)->Arg(200)->Arg(4096);

void ws_utf8(benchmark::State& state, const std::string& text) {
  Counters counters(state);
  for (auto _ : state) {
    bool valid = ws::is_utf8(text);
    benchmark::DoNotOptimize(valid);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK_CAPTURE(ws_utf8, ascii_200, std::string(200, 'x'));
BENCHMARK_CAPTURE(ws_utf8, ascii_4096, std::string(4096, 'x'));
BENCHMARK_CAPTURE(ws_utf8, mixed_4096, mixed_text(4096));

void ws_frame_header(benchmark::State& state) {
  char header[ws::kFrameHeaderMax];
  Counters counters(state);
  for (auto _ : state) {
    size_t size = ws::encode_frame_header(header, ws::Opcode::kText, static_cast<uint64_t>(state.range(0)));
    benchmark::DoNotOptimize(size);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(ws_frame_header)->Arg(100)->Arg(4096);

void ws_deflate(benchmark::State& state) {
  const std::string message = json_text(static_cast<size_t>(state.range(0)));
  ws::Deflater deflater;
  std::string out;
  Counters counters(state);
  for (auto _ : state) {
    out.clear();
    if (!deflater.deflate(message, out)) return state.SkipWithError("not deflated");
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(message.size()));
}
BENCHMARK(ws_deflate)->Arg(200)->Arg(4096);

void ws_inflate(benchmark::State& state) {
  const std::string message = json_text(static_cast<size_t>(state.range(0)));
  ws::Deflater deflater;
  std::string packed;
  if (!deflater.deflate(message, packed)) return state.SkipWithError("not deflated");
  ws::Inflater inflater;
  Counters counters(state);
  for (auto _ : state) {
    ws::Buffer out;
    if (inflater.inflate(packed, 1 << 20, out) != Reason::kNone) return state.SkipWithError("not inflated");
    benchmark::DoNotOptimize(out);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(message.size()));
}
BENCHMARK(ws_inflate)->Arg(200)->Arg(4096);

}  // namespace
}  // namespace kilat::bench
