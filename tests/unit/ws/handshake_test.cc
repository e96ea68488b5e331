#include "ws/handshake.h"

#include <gtest/gtest.h>

namespace kilat::ws {
namespace {

UpgradeHeaders good() {
  return {.method = "GET",
          .upgrade = "websocket",
          .connection = "Upgrade",
          .key = "dGhlIHNhbXBsZSBub25jZQ==",
          .version = "13",
          .http_1_1 = true};
}

TEST(Handshake, RequestOfTheRfc_IsTaken) {
  EXPECT_EQ(check_upgrade(good()), Reason::kNone);
}

TEST(Handshake, TokenLists_AreReadInAnyCaseAndPlace) {
  for (const std::string_view value :
       {"upgrade", "UPGRADE", "keep-alive, Upgrade", "Upgrade,keep-alive", " , upgrade\t"}) {
    UpgradeHeaders headers = good();
    headers.connection = value;
    EXPECT_EQ(check_upgrade(headers), Reason::kNone) << value;
  }
  for (const std::string_view value : {"WebSocket", "h2c, websocket", "websocket ,foo"}) {
    UpgradeHeaders headers = good();
    headers.upgrade = value;
    EXPECT_EQ(check_upgrade(headers), Reason::kNone) << value;
  }
}

TEST(Handshake, MissingOrSimilarToken_IsNoUpgrade) {
  for (const std::string_view value : {"", "keep-alive", "upgraded", "up grade", "upgrade;q=1", "x-upgrade"}) {
    UpgradeHeaders headers = good();
    headers.connection = value;
    EXPECT_EQ(check_upgrade(headers), Reason::kWsUpgradeRequired) << value;
  }
  for (const std::string_view value : {"", "h2c", "websockets", "websocket/13"}) {
    UpgradeHeaders headers = good();
    headers.upgrade = value;
    EXPECT_EQ(check_upgrade(headers), Reason::kWsUpgradeRequired) << value;
  }
}

TEST(Handshake, MethodAndVersionOfHttp_HaveTheirOwnReason) {
  UpgradeHeaders headers = good();
  headers.method = "POST";
  EXPECT_EQ(check_upgrade(headers), Reason::kHttpMethodNotAllowed);
  headers = good();
  headers.http_1_1 = false;
  EXPECT_EQ(check_upgrade(headers), Reason::kHttpVersionUnsupported);
}

TEST(Handshake, OtherVersions_AreUnsupported) {
  for (const std::string_view value : {"", "8", "12", "14", "013", "13, 8", "1 3"}) {
    UpgradeHeaders headers = good();
    headers.version = value;
    EXPECT_EQ(check_upgrade(headers), Reason::kWsVersionUnsupported) << value;
  }
}

TEST(Handshake, Key_MustBeSixteenBytes) {
  for (const std::string_view value :
       {"", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25jZQ===", "dGhlIHNhbXBsZSBub25jZQA=", "dGhlIHNhbXBsZSBub25j\r\n==",
        "dGhlIHNhbXBsZSBub25jZ-==", "SGVsbG8sIHdvcmxkIQ==", "dGhlIHNhbXBsZSBub25jZQ==dGhlIHNhbXBsZSBub25jZQ=="}) {
    UpgradeHeaders headers = good();
    headers.key = value;
    EXPECT_EQ(check_upgrade(headers), Reason::kWsKeyInvalid) << value;
  }
  UpgradeHeaders headers = good();
  headers.key = " dGhlIHNhbXBsZSBub25jZQ== ";
  EXPECT_EQ(check_upgrade(headers), Reason::kNone);
}

TEST(Handshake, AcceptKey_IsThatOfTheRfc) {
  EXPECT_EQ(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(accept_key(" dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(Handshake, Answer_HasTheHeadersThatApply) {
  std::string out = "before|";
  append_switching_protocols(out, "dGhlIHNhbXBsZSBub25jZQ==", "", "");
  EXPECT_EQ(out,
            "before|HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
  out.clear();
  append_switching_protocols(out, "dGhlIHNhbXBsZSBub25jZQ==", "chat", "permessage-deflate");
  EXPECT_NE(out.find("\r\nSec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"),
            std::string::npos);
}

TEST(Handshake, ValueWithLineBreak_IsLeftOut) {
  for (const std::string_view value : {"chat\r\nSet-Cookie: a=b", "chat\n", "\rchat", "cha\x7ft", "cha\x01t"}) {
    std::string out;
    append_switching_protocols(out, "dGhlIHNhbXBsZSBub25jZQ==", value, value);
    EXPECT_EQ(out.find("cha"), std::string::npos);
    EXPECT_EQ(out.find("Cookie"), std::string::npos);
  }
}

}  // namespace
}  // namespace kilat::ws
