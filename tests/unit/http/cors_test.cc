#include "http/cors.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kilat::http {
namespace {

using Patterns = std::vector<std::string>;

TEST(WildcardMatch, Star_StandsForAnything) {
  EXPECT_TRUE(wildcard_match("", ""));
  EXPECT_FALSE(wildcard_match("", "a"));
  EXPECT_TRUE(wildcard_match("*", ""));
  EXPECT_TRUE(wildcard_match("a*c*e", "abcde"));
  EXPECT_TRUE(wildcard_match("*ab", "aab"));
  EXPECT_TRUE(wildcard_match("A*", "abc"));
  EXPECT_FALSE(wildcard_match("a*c", "abcd"));
  EXPECT_FALSE(wildcard_match("*.ok.com", "ok.com"));
}

TEST(OriginMatches, AnyPattern_TakesEvenAMissingOrigin) {
  EXPECT_TRUE(origin_matches(Patterns{"x", "*"}, ""));
  EXPECT_TRUE(origin_matches(Patterns{"*"}, "anything at all"));
  EXPECT_FALSE(origin_matches(Patterns{"**"}, ""));
  EXPECT_FALSE(origin_matches(Patterns{}, "https://a"));
}

TEST(OriginMatches, HostPattern_LooksAtTheHostOnly) {
  const Patterns patterns{"*.ok.com", "localhost"};
  EXPECT_TRUE(origin_matches(patterns, "https://a.ok.com"));
  EXPECT_TRUE(origin_matches(patterns, "http://A.B.OK.com:8080"));
  EXPECT_TRUE(origin_matches(patterns, "http://localhost:3000"));
  EXPECT_FALSE(origin_matches(patterns, "https://ok.com"));
  EXPECT_FALSE(origin_matches(patterns, "https://evil.com"));
  EXPECT_FALSE(origin_matches(patterns, "https://a.ok.com.evil.com"));
  EXPECT_FALSE(origin_matches(patterns, ""));
  EXPECT_FALSE(origin_matches(patterns, "null"));
  EXPECT_TRUE(origin_matches(Patterns{"null"}, "null"));
}

TEST(OriginMatches, HostWithPort_ComparesThePort) {
  EXPECT_TRUE(origin_matches(Patterns{"localhost:3000"}, "http://localhost:3000"));
  EXPECT_FALSE(origin_matches(Patterns{"localhost:3000"}, "http://localhost:3001"));
  EXPECT_TRUE(origin_matches(Patterns{"localhost:*"}, "http://localhost:3001"));
  EXPECT_TRUE(origin_matches(Patterns{"[::1]"}, "http://[::1]:3000"));
  EXPECT_FALSE(origin_matches(Patterns{"[::1]:1"}, "http://[::1]:3000"));
}

TEST(OriginMatches, FullOrigin_ComparesEverything) {
  const Patterns patterns{"https://a.ok.com:8080", "https://*.plain.com", "http://d.com:80"};
  EXPECT_TRUE(origin_matches(patterns, "https://a.ok.com:8080"));
  EXPECT_FALSE(origin_matches(patterns, "http://a.ok.com:8080"));
  EXPECT_FALSE(origin_matches(patterns, "https://a.ok.com"));
  EXPECT_TRUE(origin_matches(patterns, "https://x.plain.com"));
  EXPECT_TRUE(origin_matches(patterns, "https://x.plain.com:443"));
  EXPECT_FALSE(origin_matches(patterns, "https://x.plain.com:444"));
  EXPECT_TRUE(origin_matches(patterns, "http://d.com"));
}

TEST(OriginMatches, WhatNoBrowserSends_NeverReachesAWildcard) {
  for (const char* origin : {"https://evil.com/.ok.com", "https://evil.com#.ok.com", "https://evil.com?.ok.com",
                             "https://evil.com@a.ok.com", "https://evil.com\\.ok.com", "https://", "evil, a.ok.com"}) {
    EXPECT_FALSE(origin_matches(Patterns{"*.ok.com"}, origin)) << origin;
  }
}

TEST(CorsHeaders, AnyOrigin_IsAStarForEveryone) {
  const CorsHeaders headers = cors_headers(Patterns{"*"}, {.origin = "https://a"});
  EXPECT_EQ(headers.allow_origin, "*");
  EXPECT_FALSE(headers.vary_origin);
  EXPECT_FALSE(headers.preflight);
  EXPECT_EQ(cors_headers(Patterns{"*"}, {}).allow_origin, "*");
}

TEST(CorsHeaders, ListedOrigin_IsEchoedAndVaries) {
  const Patterns allowed{"*.ok.com"};
  const CorsHeaders yes = cors_headers(allowed, {.origin = "https://a.ok.com"});
  EXPECT_EQ(yes.allow_origin, "https://a.ok.com");
  EXPECT_TRUE(yes.vary_origin);
  const CorsHeaders no = cors_headers(allowed, {.options = true, .origin = "https://evil.com"});
  EXPECT_EQ(no.allow_origin, "");
  EXPECT_TRUE(no.vary_origin);
  EXPECT_FALSE(no.preflight);
}

TEST(CorsHeaders, Preflight_IsOptionsOfAPage) {
  EXPECT_TRUE(
      cors_headers(Patterns{"*"}, {.options = true, .origin = "https://a", .request_method = "POST"}).preflight);
  EXPECT_TRUE(cors_headers(Patterns{"*"}, {.options = true, .origin = "https://a"}).preflight);
  EXPECT_FALSE(cors_headers(Patterns{"*"}, {.options = true}).preflight);
}

}  // namespace
}  // namespace kilat::http
