// The small values that name things inside the hub. Plain data; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kilat::hub {

/// Index of an app in the AppTable.
using AppIndex = uint16_t;

/// Index of a shard, below kShardsMax.
using ShardIndex = uint32_t;
inline constexpr ShardIndex kShardsMax = 64;  ///< a shard is one bit of an interest mask

/// Index of a wire format. The protocols number their own; the hub only keeps readers apart by it.
using Format = uint8_t;
inline constexpr Format kFormatsMax = 7;

/// Names one connection to clients and backends, in one of two forms: "<place>.<random>" (docs/protocol.md: two decimal
/// numbers of at most ten digits without leading zero), or 20 characters of base64url (Socket.IO). `place` tells node
/// and shard, so exclusion and routing need no look-up.
struct SocketId {
  uint32_t place = 0;  ///< 0: no socket
  uint64_t random = 0;

  bool operator==(const SocketId&) const = default;
  explicit operator bool() const { return place != 0; }

  std::string text() const;
  /// 20 characters: `place`, `random`, and three bytes that follow from them, so that nothing else parses.
  std::string compact_text() const;
  /// Reads both forms; nothing when `text` is neither. A well-formed id that names no socket of ours is no error: it
  /// equals none.
  static std::optional<SocketId> parse(std::string_view text);
};

/// Refers to a connection of one shard across mailboxes: stale handles find nothing.
struct Handle {
  uint32_t slot = 0;
  uint32_t generation = 0;  ///< 0: nobody

  bool operator==(const Handle&) const = default;
};

/// Refers to what waits for an answer on one shard. 0: nobody does. The two highest bits tell who asked: see
/// is_own() of those who ask.
using RequestId = uint64_t;

}  // namespace kilat::hub
