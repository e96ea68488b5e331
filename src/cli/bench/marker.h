// The marker inside the data of every published event: who published it, where, its number, and when it was due.
// It holds no character that JSON escapes, so it reads the same in data that is an object and in data that is a string.
// Owner: one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kilat::cli::bench {

struct Marker {
  uint32_t publisher = 0;
  uint32_t channel = 0;
  uint32_t sequence = 0;  ///< from 1, counted for each publisher and channel
  uint64_t due_ns = 0;    ///< of the monotonic clock of this process
};

inline constexpr size_t kPayloadBytesMin = 64;
inline constexpr size_t kPayloadBytesMax = 1024 * 1024;

/// Writes event data: a JSON object of one string, exactly `bytes` long (kPayloadBytesMin to kPayloadBytesMax).
class PayloadMaker {
 public:
  PayloadMaker(uint32_t run, size_t bytes);

  /// The data with this marker; valid until the next call.
  std::string_view make(const Marker& marker);

 private:
  std::string data_;
};

/// Finds markers of one run in received messages; those of other runs are passed over.
class MarkerFinder {
 public:
  explicit MarkerFinder(uint32_t run);

  /// The marker in `message`, or nothing. Cheap when it lies where the last one lay: no search then.
  std::optional<Marker> find(std::string_view message);

 private:
  std::string head_;
  size_t last_place_ = 0;
};

}  // namespace kilat::cli::bench
