#include "net/proxy_protocol.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "base/quantity.h"

namespace kilat::net {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kV1Signature = "PROXY "sv;
constexpr std::string_view kV2Signature = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr size_t kV4Bytes = 12;  // two addresses, two ports
constexpr size_t kV6Bytes = 36;  // the same
constexpr size_t kUnixBytes = 216;
constexpr uint8_t kTlvSsl = 0x20;
constexpr uint8_t kClientSsl = 0x01;

// Takes the text up to the next space off `line`; a missing space ends it.
std::string_view next_word(std::string_view& line) {
  const size_t space = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, space);
  line.remove_prefix(std::min(space + 1, line.size()));
  return word;
}

// Decimal, without sign or leading zeros (section 2.1).
bool is_port(std::string_view text) {
  return parse_whole<uint16_t>(text) && (text.size() == 1 || text.front() != '0');
}

std::optional<IpAddress> parse_address(std::string_view text, bool four) {
  // The family must be the one that was announced, in its own form.
  if ((text.find(':') == std::string_view::npos) != four) return std::nullopt;
  return IpAddress::parse(text);
}

}  // namespace

ProxyParser::Status ProxyParser::feed(std::span<const char>& in) {
  // Until the first byte tells, it may be either version.
  while (bytes_.empty() && !in.empty()) {
    if (in.front() != kV1Signature.front() && in.front() != kV2Signature.front()) return Status::kError;
    bytes_.push_back(in.front());
    in = in.subspan(1);
  }
  if (bytes_.empty()) return Status::kNeedMore;
  return bytes_.front() == kV1Signature.front() ? feed_v1(in) : feed_v2(in);
}

ProxyParser::Status ProxyParser::feed_v1(std::span<const char>& in) {
  while (!in.empty()) {
    const char c = in.front();
    if (bytes_.size() < kV1Signature.size() && c != kV1Signature[bytes_.size()]) return Status::kError;
    in = in.subspan(1);
    bytes_.push_back(c);
    if (c == '\n') return bytes_.ends_with("\r\n") ? finish_v1() : Status::kError;
    if (bytes_.size() >= kV1Max) return Status::kError;
  }
  return Status::kNeedMore;
}

ProxyParser::Status ProxyParser::finish_v1() {
  std::string_view line(bytes_);
  line = line.substr(kV1Signature.size(), line.size() - kV1Signature.size() - 2);
  if (line.find('\r') != std::string_view::npos) return Status::kError;
  const std::string_view family = next_word(line);
  // What follows UNKNOWN must be ignored (section 2.1).
  if (family == "UNKNOWN") return Status::kDone;
  if (family != "TCP4" && family != "TCP6") return Status::kError;
  const bool four = family == "TCP4";
  const auto source = parse_address(next_word(line), four);
  const auto destination = parse_address(next_word(line), four);
  const std::string_view source_port = next_word(line);
  if (!source || !destination || !is_port(source_port) || !is_port(line)) return Status::kError;
  source_ = source;
  return Status::kDone;
}

ProxyParser::Status ProxyParser::feed_v2(std::span<const char>& in) {
  const auto take_until = [&](size_t size) {
    const size_t count = std::min(in.size(), size - std::min(size, bytes_.size()));
    bytes_.append(in.data(), count);
    in = in.subspan(count);
    return bytes_.size() >= size;
  };
  if (bytes_.size() < kV2Head) {
    const bool complete = take_until(kV2Head);
    const size_t known = std::min(bytes_.size(), kV2Signature.size());
    if (std::string_view(bytes_).substr(0, known) != kV2Signature.substr(0, known)) return Status::kError;
    // Version 2; the commands LOCAL and PROXY (section 2.2).
    if (bytes_.size() > 12 && (bytes_[12] & 0xff) != 0x20 && (bytes_[12] & 0xff) != 0x21) return Status::kError;
    if (!complete) return Status::kNeedMore;
  }
  const size_t length = static_cast<size_t>(static_cast<uint8_t>(bytes_[14])) << 8 | static_cast<uint8_t>(bytes_[15]);
  if (kV2Head + length > kV2Max) return Status::kError;
  return take_until(kV2Head + length) ? finish_v2() : Status::kNeedMore;
}

ProxyParser::Status ProxyParser::finish_v2() {
  const auto* data = reinterpret_cast<const uint8_t*>(bytes_.data());
  const std::span<const uint8_t> rest(data + kV2Head, bytes_.size() - kV2Head);
  // LOCAL: the proxy itself, for example a health check; what follows must be skipped.
  if ((data[12] & 0x0f) == 0) return Status::kDone;
  const unsigned family = data[13] >> 4;
  const unsigned transport = data[13] & 0x0f;
  if (family > 3 || transport > 2) return Status::kError;
  const size_t size = family == 1 ? kV4Bytes : family == 2 ? kV6Bytes : family == 3 ? kUnixBytes : 0;
  if (rest.size() < size) return Status::kError;
  if (family == 1) {
    std::array<uint8_t, 4> address{};
    std::memcpy(address.data(), rest.data(), address.size());
    source_ = IpAddress::v4(address);
  } else if (family == 2) {
    std::array<uint8_t, 16> address{};
    std::memcpy(address.data(), rest.data(), address.size());
    source_ = IpAddress::v6(address);
  }
  // Without a family nothing is known of what follows (UNSPEC must be accepted, section 2.2).
  if (family == 0) return Status::kDone;
  return read_tlvs(rest.subspan(size)) ? Status::kDone : Status::kError;
}

// Type-length-value entries, section 2.2.1: all must fit; only PP2_TYPE_SSL is looked into.
bool ProxyParser::read_tlvs(std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    if (bytes.size() < 3) return false;
    const size_t length = size_t{bytes[1]} << 8 | bytes[2];
    if (bytes.size() - 3 < length) return false;
    if (bytes[0] == kTlvSsl) {
      if (length < 5) return false;
      tls_ = (bytes[3] & kClientSsl) != 0;
    }
    bytes = bytes.subspan(3 + length);
  }
  return true;
}

}  // namespace kilat::net
