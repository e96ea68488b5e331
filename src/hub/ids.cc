#include "hub/ids.h"

#include <algorithm>
#include <charconv>

namespace kilat::hub {
namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string SocketId::text() const {
  return std::to_string(place) + "." + std::to_string(random);
}

std::optional<SocketId> SocketId::parse(std::string_view text) {
  const size_t dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
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
