#include "noc/address.h"

#include <boost/asio/ip/address.hpp>

namespace examples::noc {
namespace ip = boost::asio::ip;

std::optional<std::string> normal_address(std::string_view text) {
  if (text == "localhost") return "127.0.0.1";
  boost::system::error_code error;
  const ip::address address = ip::make_address(std::string(text), error);
  if (error) return std::nullopt;
  // The other way to write a v4 address; unmapped, so that one rule is enough.
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return ip::make_address_v4(ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

bool is_private(const std::string& text) {
  boost::system::error_code error;
  const ip::address address = ip::make_address(text, error);
  if (error) return false;
  if (address.is_v6()) return address.is_loopback() || (address.to_v6().to_bytes()[0] & 0xfe) == 0xfc;
  const auto bytes = address.to_v4().to_bytes();
  return bytes[0] == 127 || bytes[0] == 10 || (bytes[0] == 172 && (bytes[1] & 0xf0) == 16) ||
         (bytes[0] == 192 && bytes[1] == 168);
}

}  // namespace examples::noc
