// Feeds a Reader the same bytes whole, byte by byte and in uneven pieces: the events must be the same, nothing may be
// read or written outside, and no payload may be over the limit. The first byte chooses options, the second the pieces.
#include <cstdint>
#include <string_view>

#include "fuzz/require.h"
#include "unit/ws/event_log.h"
#include "ws/deflate.h"

namespace {

using namespace kilat;
using namespace kilat::ws;
using kilat::testing::require;

constexpr uint32_t kLimits[] = {0, 5, 125, 126, 1000, 70'000, 1 << 20, 0xffff'ffff};

struct Choice {
  bool compressed;
  bool takeover;
  bool from_server;
  uint32_t message_bytes_max;
};

template <typename NextSize>
EventLog read(const Choice& choice, std::string_view bytes, NextSize next_size) {
  Inflater inflater(15, choice.takeover);
  Reader reader(ReaderOptions{.message_bytes_max = choice.message_bytes_max,
                              .inflater = choice.compressed ? &inflater : nullptr,
                              .from_server = choice.from_server});
  EventLog log;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, next_size(bytes.size()));
    bytes.remove_prefix(piece.size());
    if (!feed(reader, piece, log)) break;
  }
  return log;
}

void check(const EventLog& log, const Choice& choice) {
  for (size_t i = 0; i < log.size(); ++i) {
    const LoggedEvent& event = log[i];
    switch (event.kind) {
      case Event::Kind::kText: require(is_utf8(event.payload)); [[fallthrough]];
      case Event::Kind::kBinary: require(event.payload.size() <= choice.message_bytes_max); break;
      case Event::Kind::kPing:
      case Event::Kind::kPong: require(event.payload.size() <= kControlPayloadMax); break;
      case Event::Kind::kClose:
        require(is_utf8(event.payload) && i + 1 == log.size());
        require(event.close_code == kCloseNoStatus || close_code_allowed(event.close_code));
        break;
      case Event::Kind::kError: require(event.reason != Reason::kNone && i + 1 == log.size()); break;
      case Event::Kind::kNeedMore: require(false);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const Choice choice{.compressed = (data[0] & 1) != 0,
                      .takeover = (data[0] & 2) != 0,
                      .from_server = (data[0] & 4) != 0,
                      .message_bytes_max = kLimits[(data[0] >> 3) & 7]};
  // With the greatest limit a small input could rightly inflate to a thousand times its size, again and again.
  if (choice.compressed && choice.message_bytes_max > 70'000) return 0;
  uint32_t state = data[1];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const EventLog whole = read(choice, bytes, [](size_t left) { return left; });
  check(whole, choice);
  require(read(choice, bytes, [](size_t) { return size_t{1}; }) == whole);
  require(read(choice, bytes, [&](size_t) {
            state = state * 1'664'525 + 1'013'904'223;
            return size_t{1} + (state >> 16) % 23;
          }) == whole);
  return 0;
}
