// What a Reader takes from the heap, seen through counting operators new and delete.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "unit/ws/event_log.h"

namespace {

size_t g_allocations = 0;
size_t g_largest = 0;
size_t g_live = 0;

}  // namespace

// Kept out of line: where the compiler sees malloc and free through them, it takes them for a mismatch.
[[gnu::noinline]] void* operator new(size_t size) {
  ++g_allocations;
  ++g_live;
  g_largest = size > g_largest ? size : g_largest;
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}
[[gnu::noinline]] void* operator new[](size_t size) {
  return operator new(size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  if (memory != nullptr) --g_live;
  std::free(memory);
}
[[gnu::noinline]] void operator delete[](void* memory) noexcept {
  operator delete(memory);
}
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept {
  operator delete(memory);
}
[[gnu::noinline]] void operator delete[](void* memory, size_t) noexcept {
  operator delete(memory);
}

namespace kilat::ws {
namespace {

struct Heap {
  size_t allocations;
  size_t largest;
  size_t live_after;
  Event::Kind last;
};

// Feeds bytes that lie in `storage` already, so that only the Reader's own allocations are counted.
Heap feed_counted(Reader& reader, std::span<char> bytes, size_t piece) {
  g_allocations = g_largest = 0;
  const size_t live = g_live;
  Event::Kind last = Event::Kind::kNeedMore;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    std::span<char> in = bytes.subspan(at, std::min(piece, bytes.size() - at));
    while (true) {
      const Event event = reader.next(in);
      if (event.kind == Event::Kind::kNeedMore) break;
      last = event.kind;
      if (event.kind == Event::Kind::kError) return {g_allocations, g_largest, g_live - live, last};
    }
  }
  return {g_allocations, g_largest, g_live - live, last};
}

std::string masked(Opcode opcode, std::string_view payload, bool fin = true) {
  return encode_masked_frame(opcode, payload, 0x01020304, false, fin);
}

TEST(ReaderMemory, WholeFrames_TakeNone) {
  PaddedBytes bytes(masked(Opcode::kText, std::string(5000, 'a')) + masked(Opcode::kPing, "p") +
                    masked(Opcode::kBinary, "b"));
  Reader reader{ReaderOptions{}};
  const Heap heap = feed_counted(reader, bytes.span(), bytes.span().size());
  EXPECT_EQ(heap.last, Event::Kind::kBinary);
  EXPECT_EQ(heap.allocations, 0u);
}

TEST(ReaderMemory, SplitMessage_IsFreedAfterIt) {
  PaddedBytes bytes(masked(Opcode::kText, std::string(5000, 'a')) + masked(Opcode::kPing, "ping"));
  Reader reader{ReaderOptions{}};
  const Heap heap = feed_counted(reader, bytes.span(), 1);
  EXPECT_EQ(heap.last, Event::Kind::kPing);
  EXPECT_GT(heap.allocations, 0u);
  EXPECT_EQ(heap.live_after, 0u);
}

TEST(ReaderMemory, ClaimedLength_AllocatesNothing) {
  char header[kFrameHeaderMax];
  encode_frame_header(header, Opcode::kText, 1 << 30);
  header[1] = static_cast<char>(header[1] | 0x80);
  PaddedBytes bytes(std::string(header, sizeof(header)) + "mask" + std::string(10, '\0'));
  Reader reader{ReaderOptions{.message_bytes_max = 1u << 31}};
  const Heap heap = feed_counted(reader, bytes.span(), 20);
  EXPECT_LE(heap.largest, 256 + kPadding);
}

TEST(ReaderMemory, MessageOverTheLimit_AllocatesNothing) {
  PaddedBytes bytes(masked(Opcode::kText, std::string(1001, 'a')));
  Reader reader{ReaderOptions{.message_bytes_max = 1000}};
  const Heap heap = feed_counted(reader, bytes.span(), 3);
  EXPECT_EQ(heap.last, Event::Kind::kError);
  EXPECT_EQ(heap.allocations, 0u);
}

TEST(ReaderMemory, GrowingMessage_IsAtMostDoubledAndNeverOverTheLimit) {
  for (const uint32_t size : {300u, 1000u, 10'000u}) {
    PaddedBytes bytes(masked(Opcode::kText, std::string(size, 'a')));
    Reader reader{ReaderOptions{.message_bytes_max = size}};
    const Heap heap = feed_counted(reader, bytes.span(), 10);
    EXPECT_EQ(heap.last, Event::Kind::kText);
    EXPECT_LE(heap.largest, size + kPadding);
    EXPECT_LE(heap.allocations, 8u);
  }
}

TEST(ReaderMemory, EndlessEmptyFragments_TakeNone) {
  std::string session = masked(Opcode::kText, "", false);
  for (int i = 0; i < Reader::kEmptyFragmentsMax; ++i) session += masked(Opcode::kContinuation, "", false);
  PaddedBytes bytes(session);
  Reader reader{ReaderOptions{}};
  EXPECT_EQ(feed_counted(reader, bytes.span(), 5).allocations, 0u);
}

TEST(ReaderMemory, CloseAndError_LeaveNothingBehind) {
  for (const std::string& end : {masked(Opcode::kClose, "\x03\xe8 bye"), std::string("\x83")}) {
    PaddedBytes bytes(masked(Opcode::kText, "a part", false) + end + "x");
    Reader reader{ReaderOptions{}};
    EXPECT_EQ(feed_counted(reader, bytes.span(), 1).live_after, 0u);
  }
}

}  // namespace
}  // namespace kilat::ws
