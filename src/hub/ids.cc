#include "hub/ids.h"

#include <algorithm>
#include <charconv>

#include "base/base64.h"

namespace kilat::hub {
namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

constexpr size_t kCompactBytes = 15;
constexpr size_t kCompactText = 20;

void put(std::string& out, uint64_t value, size_t bytes) {
  while (bytes-- > 0) out += static_cast<char>(value >> (8 * bytes));
}

uint64_t get(std::string_view bytes) {
  uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<uint8_t>(c);
  return value;
}

// Any fixed mixing will do: it only keeps arbitrary text from being taken for an id.
uint64_t check_bytes(const SocketId& id) {
  const uint64_t mixed = (id.random ^ uint64_t{id.place} << 32) * 0x9e3779b97f4a7c15;
  return mixed >> 40;
}

std::optional<SocketId> parse_compact(std::string_view text) {
  const std::optional<std::string> bytes = base64url_decode(text);
  if (!bytes || bytes->size() != kCompactBytes) return std::nullopt;
  const std::string_view view(*bytes);
  const SocketId id{static_cast<uint32_t>(get(view.substr(0, 4))), get(view.substr(4, 8))};
  return get(view.substr(12)) == check_bytes(id) ? id : SocketId{};
}

}  // namespace

std::string SocketId::compact_text() const {
  std::string bytes;
  bytes.reserve(kCompactBytes);
  put(bytes, place, 4);
  put(bytes, random, 8);
  put(bytes, check_bytes(*this), 3);
  return base64url_encode(bytes);
}

std::string SocketId::text() const {
  return std::to_string(place) + "." + std::to_string(random);
}

std::optional<SocketId> SocketId::parse(std::string_view text) {
  const size_t dot = text.find('.');
  if (dot == std::string_view::npos) {
    if (text.size() != kCompactText) return std::nullopt;
    return parse_compact(text);
  }
  const std::string_view first = text.substr(0, dot);
  const std::string_view second = text.substr(dot + 1);
  if (!all_digits(first) || !all_digits(second)) return std::nullopt;
  SocketId id;
  const auto a = std::from_chars(first.data(), first.data() + first.size(), id.place);
  const auto b = std::from_chars(second.data(), second.data() + second.size(), id.random);
  // Too large for us, or written with leading zeros: well-formed, but the id of somebody else.
  if (a.ec != std::errc() || b.ec != std::errc() || id.text() != text) return SocketId{};
  return id;
}

}  // namespace kilat::hub
