// The wire formats in which Pusher clients read a channel.
#pragma once

#include "hub/ids.h"

namespace kilat::pusher {

inline constexpr hub::Format kTextFormat = 0;      ///< plain text frames, shared by all readers
inline constexpr hub::Format kDeflatedFormat = 1;  ///< permessage-deflate frames without context, shared
inline constexpr hub::Format kOwnFormat = 2;       ///< compressed for one connection, with its own context
// The same two for readers who want the offset of each event.
inline constexpr hub::Format kTextOffsetFormat = 3;
inline constexpr hub::Format kDeflatedOffsetFormat = 4;

/// The format in which a reader of `format` gets events with their offset.
constexpr hub::Format with_offset(hub::Format format) {
  if (format == kTextFormat) return kTextOffsetFormat;
  return format == kDeflatedFormat ? kDeflatedOffsetFormat : format;
}

/// Payloads below this many bytes are sent uncompressed: deflate would not make them smaller.
inline constexpr size_t kDeflateBytesMin = 64;

}  // namespace kilat::pusher
