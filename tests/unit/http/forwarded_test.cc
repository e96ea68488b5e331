// Who a proxy's client is, by its headers, and what a client can't make us believe.
#include "http/forwarded.h"

#include <gtest/gtest.h>

#include <string>

namespace kilat::http {
namespace {

NetworkList proxies() {
  NetworkList list;
  list.add("10.0.0.0/8");
  list.add("2001:db8:aaaa::/48");
  return list;
}

std::string client(const Forwarded& said) {
  return said.client ? said.client->text() : "none";
}
std::string x_client(std::string_view value) {
  return client(read_x_forwarded(value, {}, proxies()));
}
std::string forwarded_client(std::string_view value) {
  return client(read_forwarded(value, proxies()));
}
int x_tls(std::string_view addresses, std::string_view proto) {
  const auto tls = read_x_forwarded(addresses, proto, proxies()).tls;
  return tls ? static_cast<int>(*tls) : -1;
}

TEST(Forwarded, X_TheRightmostAddressThatIsNoProxyIsTheClient) {
  EXPECT_EQ(x_client("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(x_client("192.0.2.1, 10.0.0.1"), "192.0.2.1");
  EXPECT_EQ(x_client("6.6.6.6, 192.0.2.1,10.0.0.1 , 10.9.9.9"), "192.0.2.1")
      << "what the client claimed is not looked at";
  EXPECT_EQ(x_client("10.0.0.3, 10.0.0.2"), "10.0.0.3") << "all are ours: the one that is furthest away";
  EXPECT_EQ(x_client(""), "none");
}

TEST(Forwarded, X_TakesTheFormsThatProxiesWrite) {
  EXPECT_EQ(x_client("192.0.2.1:8080"), "192.0.2.1");
  EXPECT_EQ(x_client("2001:db8::1"), "2001:db8::1");
  EXPECT_EQ(x_client("[2001:db8::1]"), "2001:db8::1");
  EXPECT_EQ(x_client("[2001:db8::1]:443"), "2001:db8::1");
  EXPECT_EQ(x_client("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(x_client("\"192.0.2.1\""), "192.0.2.1");
}

TEST(Forwarded, X_WhatIsNoAddressEndsTheSearch) {
  EXPECT_EQ(x_client("192.0.2.1, unknown, 10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(x_client("192.0.2.1, "), "none");
  for (const char* bad : {"unknown", "localhost", "192.0.2", "192.0.2.1:", "192.0.2.1:http", "[192.0.2.1]", "[::1",
                          "[::1]x", "1.2.3.4:123456", "192.0.2.1 10.0.0.1"}) {
    EXPECT_EQ(x_client(bad), "none") << bad;
  }
}

TEST(Forwarded, X_TheProtocolBelongsToTheClient) {
  EXPECT_EQ(x_tls("192.0.2.1", "https"), 1);
  EXPECT_EQ(x_tls("192.0.2.1", "HTTP"), 0);
  EXPECT_EQ(x_tls("192.0.2.1", "wss"), 1);
  EXPECT_EQ(x_tls("192.0.2.1", "spdy"), -1);
  EXPECT_EQ(x_tls("192.0.2.1", ""), -1);
  EXPECT_EQ(x_tls("", "https"), 1) << "a proxy may send this one only";
  EXPECT_EQ(x_tls("192.0.2.1, 10.0.0.1", "https, http"), 1) << "entry by entry";
  EXPECT_EQ(x_tls("6.6.6.6, 192.0.2.1, 10.0.0.1", "https, http, https"), 0);
  EXPECT_EQ(x_tls("192.0.2.1, 10.0.0.1", "http"), 0);
  EXPECT_EQ(x_tls("192.0.2.1", "https, http"), 0) << "lists that do not match: the last one, which is no client's own";
}

TEST(Forwarded, Rfc7239_TheExamplesOfTheRfc) {
  EXPECT_EQ(forwarded_client("for=192.0.2.43"), "192.0.2.43");
  EXPECT_EQ(forwarded_client("For=\"[2001:db8:cafe::17]:4711\""), "2001:db8:cafe::17");
  EXPECT_EQ(forwarded_client("for=192.0.2.60;proto=http;by=203.0.113.43"), "192.0.2.60");
  EXPECT_EQ(forwarded_client("for=192.0.2.43, for=198.51.100.17"), "198.51.100.17");
  EXPECT_EQ(forwarded_client("for=\"_gazonk\""), "none");
  EXPECT_EQ(forwarded_client("for=unknown"), "none");
}

TEST(Forwarded, Rfc7239_ProxiesOfOursAreSteppedOver) {
  EXPECT_EQ(forwarded_client("for=6.6.6.6, for=192.0.2.1, for=10.0.0.1, for=\"[2001:db8:aaaa::1]\""), "192.0.2.1");
  EXPECT_EQ(forwarded_client("for=192.0.2.1, for=_secret, for=10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(forwarded_client("for=\"6.6.6.6, for=7.7.7.7\", for=10.0.0.1"), "10.0.0.1") << "a comma inside quotes";
}

TEST(Forwarded, Rfc7239_TheProtocolIsThatOfTheClientsEntry) {
  const auto tls = [](std::string_view value) { return read_forwarded(value, proxies()).tls; };
  EXPECT_EQ(tls("for=192.0.2.1;proto=https"), true);
  EXPECT_EQ(tls("proto=https;for=192.0.2.1, for=10.0.0.1;proto=http"), true);
  EXPECT_EQ(tls("for=192.0.2.1"), std::nullopt);
  EXPECT_EQ(tls("for=6.6.6.6;proto=https, for=192.0.2.1;proto=http"), false);
  EXPECT_EQ(tls("for=_hidden;proto=https"), true) << "who it is stays hidden, how it came does not";
}

TEST(Forwarded, LongLists_AreLookedAtUpToABound) {
  std::string list = "192.0.2.1";
  for (size_t i = 0; i < 10 * kForwardedHopsMax; ++i) list += ", 10.0.0.1";
  EXPECT_EQ(x_client(list), "10.0.0.1");
}

}  // namespace
}  // namespace kilat::http
