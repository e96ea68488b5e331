#include "base/base64.h"

#include <array>
#include <cstdint>

namespace kilat {
namespace {

constexpr std::string_view kStandard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr uint8_t kNone = 0xff;

constexpr std::array<uint8_t, 256> values_of(std::string_view alphabet) {
  std::array<uint8_t, 256> values{};
  values.fill(kNone);
  for (size_t i = 0; i < alphabet.size(); ++i) values[static_cast<uint8_t>(alphabet[i])] = static_cast<uint8_t>(i);
  return values;
}

constexpr auto kStandardValues = values_of(kStandard);
constexpr auto kUrlValues = values_of(kUrl);

void encode(std::string& out, std::string_view bytes, std::string_view alphabet, bool padded) {
  size_t at = 0;
  for (; at + 3 <= bytes.size(); at += 3) {
    const uint32_t three = static_cast<uint32_t>(static_cast<uint8_t>(bytes[at])) << 16 |
                           static_cast<uint32_t>(static_cast<uint8_t>(bytes[at + 1])) << 8 |
                           static_cast<uint8_t>(bytes[at + 2]);
    for (int shift = 18; shift >= 0; shift -= 6) out += alphabet[three >> shift & 63];
  }
  const size_t left = bytes.size() - at;
  if (left == 0) return;
  uint32_t last = static_cast<uint32_t>(static_cast<uint8_t>(bytes[at])) << 16;
  if (left == 2) last |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[at + 1])) << 8;
  out += alphabet[last >> 18 & 63];
  out += alphabet[last >> 12 & 63];
  if (left == 2) out += alphabet[last >> 6 & 63];
  if (padded) out.append(3 - left, '=');
}

bool decode(std::string_view text, const std::array<uint8_t, 256>& values, std::string& out) {
  if (text.size() % 4 == 1) return false;
  out.reserve(out.size() + text.size() / 4 * 3 + 2);
  uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const uint8_t value = values[static_cast<uint8_t>(c)];
    if (value == kNone) return false;
    bits = bits << 6 | value;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out += static_cast<char>(bits >> held);
    }
  }
  return true;
}

}  // namespace

void append_base64(std::string& out, std::string_view bytes) {
  out.reserve(out.size() + (bytes.size() + 2) / 3 * 4);
  encode(out, bytes, kStandard, true);
}

bool base64_decode(std::string_view text, std::string& out) {
  if (text.size() % 4 == 0) {
    for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  }
  return decode(text, kStandardValues, out);
}

std::string base64url_encode(std::string_view bytes) {
  std::string out;
  encode(out, bytes, kUrl, false);
  return out;
}

std::optional<std::string> base64url_decode(std::string_view text) {
  std::string out;
  if (!decode(text, kUrlValues, out)) return std::nullopt;
  return out;
}

}  // namespace kilat
