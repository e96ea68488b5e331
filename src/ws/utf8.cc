#include "ws/utf8.h"

#include <array>
#include <cstddef>
#include <cstring>

namespace kilat::ws {
namespace {

// What must follow a first byte: RFC 3629 section 4, the table of UTF8-2, UTF8-3 and UTF8-4.
struct Lead {
  uint8_t need;
  uint8_t low;
  uint8_t high;
};

constexpr uint8_t kNoLead = 0xff;

constexpr Lead lead_of(unsigned byte) {
  if (byte < 0x80) return {0, 0, 0};
  if (byte < 0xc2) return {kNoLead, 0, 0};
  if (byte < 0xe0) return {1, 0x80, 0xbf};
  if (byte == 0xe0) return {2, 0xa0, 0xbf};
  if (byte == 0xed) return {2, 0x80, 0x9f};
  if (byte < 0xf0) return {2, 0x80, 0xbf};
  if (byte == 0xf0) return {3, 0x90, 0xbf};
  if (byte < 0xf4) return {3, 0x80, 0xbf};
  if (byte == 0xf4) return {3, 0x80, 0x8f};
  return {kNoLead, 0, 0};
}

constexpr std::array<Lead, 256> make_leads() {
  std::array<Lead, 256> leads{};
  for (unsigned i = 0; i < leads.size(); ++i) leads[i] = lead_of(i);
  return leads;
}

constexpr std::array<Lead, 256> kLeads = make_leads();

// JSON is mostly ASCII: sixteen bytes are passed over with two loads.
const char* skip_ascii(const char* at, const char* end) {
  constexpr uint64_t kHighBits = 0x8080'8080'8080'8080;
  while (end - at >= 16) {
    uint64_t words[2];
    std::memcpy(words, at, sizeof(words));
    if (((words[0] | words[1]) & kHighBits) != 0) break;
    at += 16;
  }
  while (at != end && static_cast<unsigned char>(*at) < 0x80) ++at;
  return at;
}

bool continues(char byte) {
  return (static_cast<unsigned char>(byte) & 0xc0) == 0x80;
}

// Passes over whole characters beyond ASCII without touching the state between pieces; stops at an ASCII byte, at a
// wrong character and near the end, which are left to the byte-by-byte check.
const char* skip_whole_characters(const char* at, const char* end) {
  while (end - at >= 4) {
    const Lead lead = kLeads[static_cast<unsigned char>(*at)];
    if (lead.need == 0 || lead.need == kNoLead) break;
    const auto second = static_cast<unsigned char>(at[1]);
    if (second < lead.low || second > lead.high) break;
    if (lead.need >= 2 && !continues(at[2])) break;
    if (lead.need == 3 && !continues(at[3])) break;
    at += 1 + lead.need;
  }
  return at;
}

}  // namespace

bool Utf8::feed(std::span<const char> bytes) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  if (need_ == kFailed) return false;
  while (at != end) {
    if (need_ == 0) {
      at = skip_whole_characters(skip_ascii(at, end), end);
      if (at == end) break;
      const Lead lead = kLeads[static_cast<unsigned char>(*at++)];
      need_ = lead.need;
      if (need_ == kNoLead) return false;
      low_ = lead.low;
      high_ = lead.high;
      continue;
    }
    const auto byte = static_cast<unsigned char>(*at++);
    if (byte < low_ || byte > high_) {
      need_ = kFailed;
      return false;
    }
    --need_;
    low_ = 0x80;
    high_ = 0xbf;
  }
  return true;
}

bool is_utf8(std::span<const char> bytes) {
  Utf8 utf8;
  return utf8.feed(bytes) && utf8.complete();
}

}  // namespace kilat::ws
