#include "base/ip_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "base/quantity.h"

namespace kilat {
namespace {

constexpr std::array<uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::string_view kLocal = "unix";

}  // namespace

IpAddress IpAddress::v4(const std::array<uint8_t, 4>& bytes) {
  IpAddress out;
  std::ranges::copy(kMapped, out.bytes_.begin());
  std::ranges::copy(bytes, out.bytes_.begin() + kMapped.size());
  return out;
}

IpAddress IpAddress::of(const sockaddr& address) {
  IpAddress out;
  if (address.sa_family == AF_INET) {
    std::array<uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in&>(address).sin_addr, bytes.size());
    return v4(bytes);
  }
  if (address.sa_family == AF_INET6) {
    std::memcpy(out.bytes_.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, out.bytes_.size());
  }
  return out;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  // inet_pton wants a terminated text; a longer one is no address, nor is one with a zero inside.
  std::array<char, INET6_ADDRSTRLEN> copy{};
  if (text.size() >= copy.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
  std::ranges::copy(text, copy.begin());
  std::array<uint8_t, 4> four{};
  if (inet_pton(AF_INET, copy.data(), four.data()) == 1) return v4(four);
  IpAddress out;
  if (inet_pton(AF_INET6, copy.data(), out.bytes_.data()) == 1) return out;
  return std::nullopt;
}

bool IpAddress::is_v4() const {
  return std::equal(kMapped.begin(), kMapped.end(), bytes_.begin());
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[kMapped.size()] == 127;
  return std::all_of(bytes_.begin(), bytes_.end() - 1, [](uint8_t byte) { return byte == 0; }) && bytes_.back() == 1;
}

std::string IpAddress::text() const {
  if (!known()) return {};
  std::array<char, INET6_ADDRSTRLEN> out{};
  const bool four = is_v4();
  inet_ntop(four ? AF_INET : AF_INET6, bytes_.data() + (four ? kMapped.size() : 0), out.data(), out.size());
  return out.data();
}

std::string NetworkList::check(std::string_view entry) {
  if (entry == kLocal || parse(entry)) return {};
  return "must hold IP addresses, networks such as 10.0.0.0/8, or unix";
}

void NetworkList::add(std::string_view entry) {
  if (entry == kLocal) {
    local_ = true;
  } else if (const auto network = parse(entry)) {
    networks_.push_back(*network);
  }
}

std::optional<NetworkList::Network> NetworkList::parse(std::string_view entry) {
  const size_t slash = entry.find('/');
  const auto address = IpAddress::parse(entry.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return Network{*address};
  const std::string_view digits = entry.substr(slash + 1);
  const auto bits = parse_whole<unsigned>(digits);
  // An IPv4 prefix counts from the end of the mapping. Text such as ::ffff:10.0.0.0/104 is IPv6, as written.
  const bool four = entry.substr(0, slash).find(':') == std::string_view::npos;
  if (!bits || *bits > (four ? 32u : 128u)) return std::nullopt;
  return Network{*address, four ? *bits + 96 : *bits};
}

bool NetworkList::contains(const IpAddress& address) const {
  if (!address.known()) return false;
  const auto& bytes = address.bytes();
  return std::ranges::any_of(networks_, [&](const Network& network) {
    const auto& wanted = network.address.bytes();
    const size_t whole = network.bits / 8;
    if (!std::equal(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(whole), wanted.begin())) return false;
    const unsigned rest = network.bits % 8;
    return rest == 0 || (bytes[whole] >> (8 - rest)) == (wanted[whole] >> (8 - rest));
  });
}

}  // namespace kilat
