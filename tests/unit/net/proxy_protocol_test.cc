// The header of a proxy, whole and at every split, and everything that must not pass for one.
#include "net/proxy_protocol.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace kilat::net {
namespace {

using Status = ProxyParser::Status;
using namespace std::string_view_literals;

struct Outcome {
  Status status = Status::kNeedMore;
  std::string source;
  bool tls = false;
  size_t taken = 0;
  bool operator==(const Outcome&) const = default;
};

/// Feeds `bytes` in pieces: the first ends at `cut`, the second at the end.
Outcome parse(std::string_view bytes, size_t cut) {
  ProxyParser parser;
  Outcome out;
  for (const std::string_view piece : {bytes.substr(0, cut), bytes.substr(cut)}) {
    std::span<const char> in(piece);
    if (out.status != Status::kNeedMore) break;
    out.status = parser.feed(in);
    out.taken += piece.size() - in.size();
  }
  if (out.status == Status::kDone && parser.source()) out.source = parser.source()->text();
  out.tls = parser.tls();
  if (out.status == Status::kError) out.taken = 0;  // nobody asks any more
  return out;
}

Outcome parse_everywhere(std::string_view bytes) {
  const Outcome whole = parse(bytes, bytes.size());
  for (size_t cut = 0; cut < bytes.size(); ++cut) EXPECT_EQ(parse(bytes, cut), whole) << "split at " << cut;
  return whole;
}

std::string v2(unsigned char command, unsigned char family, std::string_view rest) {
  std::string out("\r\n\r\n\0\r\nQUIT\n", 12);
  out += static_cast<char>(command);
  out += static_cast<char>(family);
  out += static_cast<char>(rest.size() >> 8);
  out += static_cast<char>(rest.size());
  return out.append(rest);
}

const std::string kV4Block("\xc0\x00\x02\x01\x7f\x00\x00\x01\x12\x34\x01\xbb", 12);  // 192.0.2.1 to 127.0.0.1

TEST(ProxyV1, Tcp4_TellsTheClientAndLeavesTheRest) {
  const std::string_view header = "PROXY TCP4 192.0.2.1 127.0.0.1 56324 443\r\n";
  const Outcome out = parse_everywhere(std::string(header) + "GET / HTTP/1.1\r\n");
  EXPECT_EQ(out, (Outcome{Status::kDone, "192.0.2.1", false, header.size()}));
}

TEST(ProxyV1, Tcp6_TellsTheClient) {
  EXPECT_EQ(parse_everywhere("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n").source, "2001:db8::1");
}

TEST(ProxyV1, Unknown_IsTakenWithWhateverFollows) {
  for (const std::string_view text : {"PROXY UNKNOWN\r\n"sv, "PROXY UNKNOWN ffff:: ffff:: 65535 65535\r\n"sv}) {
    EXPECT_EQ(parse_everywhere(text), (Outcome{Status::kDone, "", false, text.size()}));
  }
}

TEST(ProxyV1, AnythingElse_IsRefused) {
  for (const std::string_view bad : {"GET / HTTP/1.1\r\n"sv,
                                     "PROXY\r\n"sv,
                                     "PROXY \r\n"sv,
                                     "PROXY TCP4\r\n"sv,
                                     "PROXYTCP4 1.2.3.4 1.2.3.4 1 1\r\n"sv,
                                     "PROXY TCP4 192.0.2.1 127.0.0.1 56324\r\n"sv,
                                     "PROXY TCP4 192.0.2.1 127.0.0.1 56324 443 \r\n"sv,
                                     "PROXY TCP4  192.0.2.1 127.0.0.1 56324 443\r\n"sv,
                                     "PROXY TCP4 192.0.2.1 127.0.0.1 056 443\r\n"sv,
                                     "PROXY TCP4 192.0.2.1 127.0.0.1 65536 443\r\n"sv,
                                     "PROXY TCP4 192.0.2.1 127.0.0.1 -1 443\r\n"sv,
                                     "PROXY TCP4 192.0.2.256 127.0.0.1 1 443\r\n"sv,
                                     "PROXY TCP4 ::1 ::1 1 443\r\n"sv,
                                     "PROXY TCP6 192.0.2.1 127.0.0.1 1 443\r\n"sv,
                                     "PROXY UDP4 192.0.2.1 127.0.0.1 1 443\r\n"sv,
                                     "PROXY TCP4 192.0.2.1 127.0.0.1 56324 443\n"sv,
                                     "PROXY TCP4 192.0.2.1 127.0.0.1 56324 443\r\r\n"sv,
                                     "proxy TCP4 192.0.2.1 127.0.0.1 1 1\r\n"sv,
                                     "\x16\x03\x01"sv,
                                     "\r\n\r\nGET"sv}) {
    EXPECT_EQ(parse_everywhere(bad).status, Status::kError) << bad;
  }
}

TEST(ProxyV1, ALineWithoutEnd_IsRefusedAtItsBound) {
  std::string line = "PROXY UNKNOWN ";
  line.append(ProxyParser::kV1Max - line.size() - 1, 'x');
  EXPECT_EQ(parse(line, 0).status, Status::kNeedMore);
  EXPECT_EQ(parse_everywhere(line + "x").status, Status::kError);
  line.resize(ProxyParser::kV1Max - 2);
  EXPECT_EQ(parse_everywhere(line + "\r\n").status, Status::kDone) << "the longest line there may be";
}

TEST(ProxyV2, Tcp4AndTcp6_TellTheClientAndLeaveTheRest) {
  const std::string four = v2(0x21, 0x11, kV4Block);
  EXPECT_EQ(parse_everywhere(four + "\x16\x03"), (Outcome{Status::kDone, "192.0.2.1", false, four.size()}));
  std::string block(36, '\0');
  block[0] = 0x20;
  block[1] = 0x01;
  block[15] = 7;
  EXPECT_EQ(parse_everywhere(v2(0x21, 0x21, block)).source, "2001::7");
}

TEST(ProxyV2, LocalUnspecifiedAndUnix_NameNobody) {
  EXPECT_EQ(parse_everywhere(v2(0x20, 0x00, "")).status, Status::kDone) << "a health check";
  EXPECT_EQ(parse_everywhere(v2(0x20, 0x11, kV4Block)).source, "") << "LOCAL: the block must be skipped";
  EXPECT_EQ(parse_everywhere(v2(0x21, 0x00, "whatever")).status, Status::kDone);
  EXPECT_EQ(parse_everywhere(v2(0x21, 0x31, std::string(216, 'a'))), (Outcome{Status::kDone, "", false, 16 + 216}));
}

TEST(ProxyV2, TlsOfTheClient_IsReadFromItsTlv) {
  const std::string ssl("\x20\x00\x05\x01\x00\x00\x00\x00", 8);
  const std::string other("\x03\x00\x04\x01\x02\x03\x04", 7);
  EXPECT_TRUE(parse_everywhere(v2(0x21, 0x11, kV4Block + other + ssl)).tls);
  std::string plain = ssl;
  plain[3] = 0x02;
  EXPECT_FALSE(parse_everywhere(v2(0x21, 0x11, kV4Block + plain)).tls);
}

TEST(ProxyV2, AnythingElse_IsRefused) {
  EXPECT_EQ(parse_everywhere(v2(0x11, 0x11, kV4Block)).status, Status::kError) << "version 1 in the binary form";
  EXPECT_EQ(parse_everywhere(v2(0x22, 0x11, kV4Block)).status, Status::kError) << "an unknown command";
  EXPECT_EQ(parse_everywhere(v2(0x21, 0x41, kV4Block)).status, Status::kError) << "an unknown family";
  EXPECT_EQ(parse_everywhere(v2(0x21, 0x13, kV4Block)).status, Status::kError) << "an unknown transport";
  EXPECT_EQ(parse_everywhere(v2(0x21, 0x11, kV4Block.substr(1))).status, Status::kError) << "a short block";
  EXPECT_EQ(parse_everywhere(v2(0x21, 0x21, kV4Block)).status, Status::kError) << "IPv6 needs more";
  EXPECT_EQ(parse_everywhere(v2(0x21, 0x11, kV4Block + "\x03\x00")).status, Status::kError) << "half a TLV";
  EXPECT_EQ(parse_everywhere(v2(0x21, 0x11, kV4Block + std::string("\x03\x00\x09zz", 5))).status, Status::kError);
  EXPECT_EQ(parse_everywhere(v2(0x21, 0x11, kV4Block + std::string("\x20\x00\x01\x01", 4))).status, Status::kError);
  std::string signature = v2(0x21, 0x11, kV4Block);
  signature[11] = '\r';
  EXPECT_EQ(parse_everywhere(signature).status, Status::kError);
}

TEST(ProxyV2, OverTheBound_IsRefusedBeforeItComes) {
  const std::string big = v2(0x21, 0x11, std::string(ProxyParser::kV2Max - 15, 'x'));
  EXPECT_EQ(parse(std::string_view(big).substr(0, 16), 0).status, Status::kError);
}

}  // namespace
}  // namespace kilat::net
