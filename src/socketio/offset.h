// Offsets: what socket.io-client keeps of the last event it has got, and shows when it comes back. It begins with the
// number of the event on its shard. Where sockets outlive the process (Registry), the run of the server follows, and
// for each home how far its durable events had come when this one was made, itself included. All numbers are base 36,
// separated by dots. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kilat::socketio {

/// A start of the server: offsets of another run mean something only together with what was written down in it.
struct ServerRun {
  uint64_t id = 0;           ///< rises with each start; 0: sockets do not outlive the process
  uint64_t first_order = 1;  ///< of its durable events, see hub::HomeHub::set_first_order
};

struct Offset {
  uint64_t number = 0;
  uint64_t run = 0;           ///< ServerRun::id; 0: none
  std::vector<int64_t> seen;  ///< by home: relative to the order before ServerRun::first_order, so that texts are short

  /// Everything of `home` that has at most this order was there before; 0: nothing was.
  uint64_t order_of(size_t home, const ServerRun& of_it) const;
};

/// `orders`: by home; ignored where the run has no id.
std::string offset_text(uint64_t number, const ServerRun& run, std::span<const uint64_t> orders);
/// Nothing when it is none of ours.
std::optional<Offset> parse_offset(std::string_view text);

}  // namespace kilat::socketio
