// Entries of server.listen, and what TLS and proxies need beside them.
#include "config/listen.h"

#include <gtest/gtest.h>

#include <string>

#include "config/document.h"
#include "config/settings.h"
#include "config/toml_reader.h"

namespace kilat::config {
namespace {

std::string normal(std::string text) {
  const std::string wrong = listen_entry_rule(text);
  return wrong.empty() ? text : "wrong: " + wrong;
}

ServerSettings server_of(const std::vector<std::string>& entries) {
  ServerSettings server;
  set_listen(server, entries);
  return server;
}

std::string addresses(const ServerSettings& server) {
  std::string out;
  for (const Listen& listen : listeners(server)) out += listen.text() + ";";
  return out;
}

/// All complaints about a file with one app.
std::string complaints(const std::string& text) {
  Document document = read_toml(text + "\n[[app]]\nid = \"a\"\nkey = \"b\"\nsecret = \"c\"\n", "kilat.toml");
  validate(document);
  std::string out;
  for (const Diagnostic& one : document.diagnostics) out += one.message + "\n";
  return out;
}

TEST(Listen, Words_AreTakenInAnyOrderAndWrittenInOne) {
  EXPECT_EQ(normal("localhost:1"), "127.0.0.1:1");
  EXPECT_EQ(normal(" 0.0.0.0:443   proxy_protocol tls "), "0.0.0.0:443 tls proxy_protocol");
  EXPECT_EQ(normal("[::]:443 tls"), "[::]:443 tls");
  EXPECT_EQ(normal("unix:/run/kilat.sock"), "unix:/run/kilat.sock mode=0660");
  EXPECT_EQ(normal("unix:/run/kilat.sock mode=777 proxy_protocol"), "unix:/run/kilat.sock proxy_protocol mode=0777");
}

TEST(Listen, MistakesInAnEntry_AreNamed) {
  for (const char* bad : {"", "tls", "0.0.0.0:1 ssl", "0.0.0.0:1 mode=0660", "unix:run/kilat.sock",
                          "unix:", "unix:/a mode=0888", "unix:/a mode=01000", "unix:/a mode=", "0.0.0.0 tls"}) {
    EXPECT_TRUE(normal(bad).starts_with("wrong: ")) << bad;
  }
  EXPECT_TRUE(normal("unix:/" + std::string(107, 'x')).starts_with("wrong: "));
  EXPECT_TRUE(normal(std::string("unix:/a\0b", 9)).starts_with("wrong: "));
}

TEST(Listen, HostAndPort_AreThoseOfTheFirstTcpEntry) {
  ServerSettings server = server_of({"unix:/a mode=0600", "0.0.0.0:443 tls", "127.0.0.1:80"});
  EXPECT_EQ(server.host, "0.0.0.0");
  EXPECT_EQ(server.port, 443);
  server.port = 8443;  // as a flag would
  EXPECT_EQ(addresses(server), "unix:/a mode=0600;0.0.0.0:8443 tls;127.0.0.1:80;");
}

TEST(Listen, ASinglePlainEntry_IsHostAndPortOnly) {
  const ServerSettings server = server_of({"0.0.0.0:8080"});
  EXPECT_TRUE(server.listen.empty());
  EXPECT_EQ(addresses(server), "0.0.0.0:8080;");
  EXPECT_EQ(addresses(server_of({"0.0.0.0:8080 tls"})), "0.0.0.0:8080 tls;");
  EXPECT_EQ(addresses(server_of({"unix:/a"})), "unix:/a mode=0660;");
}

TEST(Listen, OneTextOrAList_MeanTheSame) {
  EXPECT_EQ(complaints("[server]\nlisten = \"0.0.0.0:1\""), "");
  EXPECT_EQ(complaints("[server]\nlisten = [\"0.0.0.0:1\", \"unix:/a\"]"), "");
  EXPECT_NE(complaints("[server]\nlisten = [\"0.0.0.0:1\", \"0.0.0.0:2 ssl\"]").find("unknown word \"ssl\""),
            std::string::npos);
}

TEST(TlsSettings, WhatIsMissing_IsSaid) {
  const std::string listen = "[server]\nlisten = \"0.0.0.0:1 tls\"\n";
  const std::string pair = "[tls]\ncertificate = \"c.pem\"\nkey = \"c.key\"\n";
  EXPECT_EQ(complaints(listen + pair), "");
  EXPECT_NE(complaints(listen).find("no certificate"), std::string::npos);
  EXPECT_NE(complaints(pair).find("no entry of server.listen has the word tls"), std::string::npos);
  EXPECT_NE(complaints(listen + "[tls]\ncertificate = \"c.pem\"\n").find("same number"), std::string::npos);
  EXPECT_NE(complaints(listen + pair + "client_certificates = \"required\"\n").find("tls.client_ca"),
            std::string::npos);
}

TEST(ProxySettings, AListenerForNobody_IsRefused) {
  const std::string tcp = "[server]\nlisten = \"0.0.0.0:1 proxy_protocol\"\n";
  const std::string local = "[server]\nlisten = \"unix:/a proxy_protocol\"\n";
  EXPECT_NE(complaints(tcp), "");
  EXPECT_NE(complaints(tcp + "trusted_proxies = \"unix\"\n"), "");
  EXPECT_NE(complaints(local + "trusted_proxies = \"10.0.0.1\"\n"), "");
  EXPECT_EQ(complaints(tcp + "trusted_proxies = [\"10.0.0.0/8\"]\n"), "");
  EXPECT_EQ(complaints(local + "trusted_proxies = \"unix\"\n"), "");
  EXPECT_NE(complaints("[server]\ntrusted_proxies = \"localhost\"\n"), "");
}

}  // namespace
}  // namespace kilat::config
