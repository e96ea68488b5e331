#include "base/ip_address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

namespace kilat {
namespace {

NetworkList list_of(std::initializer_list<const char*> entries) {
  NetworkList list;
  for (const char* entry : entries) list.add(entry);
  return list;
}
bool holds(const NetworkList& list, const char* address) {
  return list.contains(*IpAddress::parse(address));
}

TEST(IpAddress, Text_ComesBackInItsShortestForm) {
  for (const auto& [given, text] : {std::pair{"192.0.2.1", "192.0.2.1"},
                                    {"2001:DB8:0:0::1", "2001:db8::1"},
                                    {"::ffff:192.0.2.1", "192.0.2.1"},
                                    {"::1", "::1"}}) {
    const auto parsed = IpAddress::parse(given);
    ASSERT_TRUE(parsed) << given;
    EXPECT_EQ(parsed->text(), text);
  }
  EXPECT_EQ(IpAddress().text(), "");
}

TEST(IpAddress, WhatIsNoAddress_IsRefused) {
  for (const std::string_view bad : {"", "1.2.3", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4:5", "[::1]", "::1%lo", "localhost",
                                     "1.2.3.256", "0x7f.1", "fe80::1::2"}) {
    EXPECT_FALSE(IpAddress::parse(bad)) << bad;
  }
  using namespace std::string_view_literals;
  EXPECT_FALSE(IpAddress::parse("1.2.3.4\0x"sv));
  EXPECT_FALSE(IpAddress::parse(std::string(1'000, '1')));
}

TEST(IpAddress, SocketAddresses_OfBothFamiliesAreOneClient) {
  sockaddr_in four{};
  four.sin_family = AF_INET;
  inet_pton(AF_INET, "192.0.2.1", &four.sin_addr);
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  inet_pton(AF_INET6, "::ffff:192.0.2.1", &six.sin6_addr);
  sockaddr local{};
  local.sa_family = AF_UNIX;
  EXPECT_EQ(IpAddress::of(reinterpret_cast<sockaddr&>(four)).text(), "192.0.2.1");
  EXPECT_EQ(IpAddress::of(reinterpret_cast<sockaddr&>(four)), IpAddress::of(reinterpret_cast<sockaddr&>(six)));
  EXPECT_FALSE(IpAddress::of(local).known());
}

TEST(NetworkList, Networks_HoldTheirAddressesOnly) {
  const NetworkList list = list_of({"127.0.0.1", "10.0.0.0/8", "192.168.4.0/22", "2001:db8::/33", "fd00::1"});
  for (const char* in :
       {"127.0.0.1", "10.255.0.1", "192.168.7.255", "2001:db8:7fff::1", "fd00::1", "::ffff:10.1.1.1"}) {
    EXPECT_TRUE(holds(list, in)) << in;
  }
  for (const char* out : {"127.0.0.2", "11.0.0.1", "192.168.8.0", "2001:db8:8000::1", "fd00::2", "::10.0.0.1"}) {
    EXPECT_FALSE(holds(list, out)) << out;
  }
}

TEST(NetworkList, TheWholeInternet_OfOneFamilyIsNotTheOther) {
  EXPECT_TRUE(holds(list_of({"0.0.0.0/0"}), "8.8.8.8"));
  EXPECT_FALSE(holds(list_of({"0.0.0.0/0"}), "2001:db8::1"));
  EXPECT_TRUE(holds(list_of({"::/0"}), "8.8.8.8")) << "mapped addresses are IPv6 addresses too";
}

TEST(NetworkList, UnixPeers_AreTrustedByTheirWordOnly) {
  const Peer local{.address = {}, .local = true};
  const Peer unknown{};
  EXPECT_TRUE(list_of({"unix"}).contains(local));
  EXPECT_FALSE(list_of({"unix"}).contains(unknown));
  EXPECT_FALSE(list_of({"0.0.0.0/0", "::/0"}).contains(local));
  EXPECT_FALSE(list_of({"::/0"}).contains(unknown));
  EXPECT_TRUE(list_of({}).empty());
}

TEST(NetworkList, BadEntries_AreNamed) {
  for (const char* good : {"unix", "1.2.3.4", "1.2.3.4/0", "1.2.3.4/32", "::/0", "::1/128"}) {
    EXPECT_EQ(NetworkList::check(good), "") << good;
  }
  for (const char* bad :
       {"", "localhost", "1.2.3.4/", "1.2.3.4/33", "::/129", "1.2.3.4/-1", "1.2.3.4/8x", "/8", "Unix"}) {
    EXPECT_NE(NetworkList::check(bad), "") << bad;
  }
}

}  // namespace
}  // namespace kilat
