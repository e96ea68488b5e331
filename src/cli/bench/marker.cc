#include "cli/bench/marker.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"

namespace kilat::cli::bench {
namespace {

constexpr std::string_view kOpening = R"({"bench":")";
constexpr std::string_view kClosing = R"("})";
constexpr std::string_view kWord = "klt:";

// After the word: run, publisher, channel and sequence in 8 hex digits each, due time in 16.
constexpr size_t kHeadBytes = kWord.size() + 8;
constexpr size_t kMarkerBytes = kHeadBytes + 3 * 8 + 16;
static_assert(kOpening.size() + kMarkerBytes + kClosing.size() == kPayloadBytesMin);

void put_hex(char* out, size_t digits, uint64_t value) {
  for (size_t i = digits; i-- > 0; value >>= 4) out[i] = "0123456789abcdef"[value & 15];
}

constexpr uint8_t kNoDigit = 0xff;

constexpr std::array<uint8_t, 256> make_digits() {
  std::array<uint8_t, 256> out{};
  out.fill(kNoDigit);
  for (unsigned i = 0; i < 10; ++i) out['0' + i] = static_cast<uint8_t>(i);
  for (unsigned i = 0; i < 6; ++i) out['a' + i] = static_cast<uint8_t>(10 + i);
  return out;
}

constexpr std::array<uint8_t, 256> kDigits = make_digits();

// Digits read from the front of what is left; remembers whether each of them was one.
class HexReader {
 public:
  explicit HexReader(const char* at) : at_(at) {}

  uint64_t take(size_t digits) {
    uint64_t value = 0;
    for (; digits > 0; --digits) {
      const uint8_t digit = kDigits[static_cast<unsigned char>(*at_++)];
      all_ |= digit;
      value = value << 4 | (digit & 15U);
    }
    return value;
  }
  bool good() const { return (all_ & 0xf0) == 0; }

 private:
  const char* at_;
  uint8_t all_ = 0;
};

std::string head_of(uint32_t run) {
  std::string out(kHeadBytes, '0');
  std::memcpy(out.data(), kWord.data(), kWord.size());
  put_hex(out.data() + kWord.size(), 8, run);
  return out;
}

}  // namespace

PayloadMaker::PayloadMaker(uint32_t run, size_t bytes) {
  KILAT_CHECK(bytes >= kPayloadBytesMin && bytes <= kPayloadBytesMax);
  data_ = std::string(kOpening) + head_of(run);
  data_.append(bytes - kClosing.size() - data_.size(), 'x');
  data_ += kClosing;
}

std::string_view PayloadMaker::make(const Marker& marker) {
  char* out = data_.data() + kOpening.size() + kHeadBytes;
  put_hex(out, 8, marker.publisher);
  put_hex(out + 8, 8, marker.channel);
  put_hex(out + 16, 8, marker.sequence);
  put_hex(out + 24, 16, marker.due_ns);
  return data_;
}

MarkerFinder::MarkerFinder(uint32_t run) : head_(head_of(run)) {}

std::optional<Marker> MarkerFinder::find(std::string_view message) {
  if (message.substr(std::min(last_place_, message.size()), kHeadBytes) != head_) {
    const void* found = ::memmem(message.data(), message.size(), head_.data(), head_.size());
    if (found == nullptr) return std::nullopt;
    last_place_ = static_cast<size_t>(static_cast<const char*>(found) - message.data());
  }
  if (message.size() - last_place_ < kMarkerBytes) return std::nullopt;
  HexReader hex(message.data() + last_place_ + kHeadBytes);
  Marker out;
  out.publisher = static_cast<uint32_t>(hex.take(8));
  out.channel = static_cast<uint32_t>(hex.take(8));
  out.sequence = static_cast<uint32_t>(hex.take(8));
  out.due_ns = hex.take(16);
  if (!hex.good()) return std::nullopt;
  return out;
}

}  // namespace kilat::cli::bench
