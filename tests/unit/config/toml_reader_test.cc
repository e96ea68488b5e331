#include "config/toml_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace kilat::config {
namespace {

Document read(std::string_view text) {
  Document document = read_toml(text, "kilat.toml");
  validate(document);
  return document;
}

std::string messages(std::string_view text) {
  return render(read(text).diagnostics);
}

constexpr std::string_view kShop = "[[app]]\nid = \"shop\"\nkey = \"k\"\nsecret = \"s\"\n";

std::string with_app(std::string_view text) {
  return std::string(text) + "\n" + std::string(kShop);
}

TEST(TomlReader, EveryKindOfValue_ReachesItsMember) {
  const Document document = read(R"(
    [server]
    listen = "0.0.0.0:8080"
    shards = 4
    live_page = true
    path_prefix = "/ws/"
    [http]
    cors_origins = ["https://a.example", "https://b.example"]
    [limits]
    message_bytes_max = "64KiB"
    outbox_bytes_max = 2097152
    [log]
    level = "debug"
    format = "json"
    [[app]]
    id = 123
    key = "k"
    secret = "s"
    over_quota_code = 4100
    compression = "dedicated"
    client_events = true)");
  EXPECT_EQ(render(document.diagnostics), "");
  const Settings& settings = document.settings;
  EXPECT_EQ(settings.server.host, "0.0.0.0");
  EXPECT_EQ(settings.server.port, 8080);
  EXPECT_EQ(settings.server.shards, 4U);
  EXPECT_TRUE(settings.server.live_page);
  EXPECT_EQ(settings.server.path_prefix, "/ws");
  EXPECT_EQ(settings.http.cors_origins, (std::vector<std::string>{"https://a.example", "https://b.example"}));
  EXPECT_EQ(settings.limits.message_bytes_max, 65'536U);
  EXPECT_EQ(settings.limits.outbox_bytes_max, 2'097'152U);
  EXPECT_EQ(settings.log.level, "debug");
  EXPECT_EQ(settings.log.format, LogFormat::kJson);
  ASSERT_EQ(settings.apps.size(), 1U);
  EXPECT_EQ(settings.apps[0].id, "123");
  EXPECT_EQ(settings.apps[0].over_quota_code, 4100);
  EXPECT_EQ(settings.apps[0].compression, hub::Compression::kDedicated);
  EXPECT_TRUE(settings.apps[0].client_events);
}

TEST(TomlReader, UnknownKey_IsShownWithCaretAndSuggestion) {
  EXPECT_EQ(messages("[[app]]\nid = \"shop\"\nkey = \"k\"\nsecret = \"s\"\nmax_conections = 5000\n"),
            "kilat.toml:5:1: error: unknown key \"max_conections\" in [[app]]\n"
            "    5 | max_conections = 5000\n"
            "      | ^^^^^^^^^^^^^^ did you mean \"max_connections\"?\n");
}

TEST(TomlReader, ValueAboveItsRange_IsNamedWithTheLimit) {
  EXPECT_EQ(messages(with_app("[limits]\nmessage_bytes_max = \"64MiB\"\n")),
            "kilat.toml:2:21: error: limits.message_bytes_max is 64MiB; the largest allowed is 16MiB\n"
            "    2 | message_bytes_max = \"64MiB\"\n"
            "      |                     ^^^^^^^ why: every connection may hold twice this in memory\n");
}

TEST(TomlReader, WrongType_IsNamedWithAnExample) {
  EXPECT_EQ(messages(with_app("[server]\nport = \"6001\"\n")),
            "kilat.toml:2:8: error: server.port must be a whole number, not a text\n"
            "    2 | port = \"6001\"\n"
            "      |        ^^^^^^ for example port = 6001\n");
  EXPECT_EQ(messages(with_app("[server]\nlive_page = 1\n")),
            "kilat.toml:2:13: error: server.live_page must be true or false, not a whole number\n"
            "    2 | live_page = 1\n"
            "      |             ^ for example live_page = true\n");
}

TEST(TomlReader, SeveralErrors_AreAllReportedInTheOrderOfTheFile) {
  EXPECT_EQ(messages("prot = 1\n[server]\nport = 70000\n[log]\nlevel = \"loud\"\n" + std::string(kShop)),
            "kilat.toml:1:1: error: unknown key \"prot\" at the top of the file\n"
            "    1 | prot = 1\n"
            "      | ^^^^\n"
            "kilat.toml:3:8: error: server.port is 70000; the largest allowed is 65535\n"
            "    3 | port = 70000\n"
            "      |        ^^^^^\n"
            "kilat.toml:5:9: error: log.level must be one of debug, info, warn, error\n"
            "    5 | level = \"loud\"\n"
            "      |         ^^^^^^\n"
            "3 errors\n");
}

TEST(TomlReader, KeyInTheWrongSection_IsSentToTheRightOne) {
  EXPECT_EQ(messages("port = 1\n" + std::string(kShop)),
            "kilat.toml:1:1: error: unknown key \"port\" at the top of the file\n"
            "    1 | port = 1\n"
            "      | ^^^^ did you mean \"port\" in [server]?\n");
  EXPECT_EQ(messages("[[apps]]\nid = 1\n"),
            "kilat.toml:1:3: error: unknown key \"apps\" at the top of the file\n"
            "    1 | [[apps]]\n"
            "      |   ^^^^ did you mean [[app]]?\n");
}

TEST(TomlReader, SyntaxError_HasLineAndCaret) {
  const std::string text = messages("[server\nport = 1\n");
  EXPECT_TRUE(text.starts_with("kilat.toml:1:8: error: ")) << text;
  EXPECT_NE(text.find("    1 | [server\n      |        ^"), std::string::npos) << text;
}

TEST(TomlReader, SectionNameThatIsNone_IsASyntaxErrorInEveryBuild) {
  for (const char* text :
       {"[!pp]\n", "[[!pp]]\n", "[\n", "[", "[[", "[ ", "[.a]\n", "[a.]\n", "x = {!}\n", "x.\n", "="}) {
    EXPECT_NE(messages(text).find("kilat.toml:1:"), std::string::npos) << text;
  }
}

TEST(TomlReader, ArabicFormBesideAKey_IsASyntaxError_ButFreeInCommentsAndTexts) {
  EXPECT_NE(messages("[server]\xef\xbb\xb7s\n").find("kilat.toml:1:"), std::string::npos);
  EXPECT_EQ(messages(with_app("# \xef\xbb\xb7 \xe2\x9a\xa0\xef\xb8\x8f\n[http]\ncors_origins = [\"\xef\xbb\xb7\"]\n")),
            "");
}

TEST(TomlReader, MinusOneForALimit_IsExplained) {
  EXPECT_NE(messages(std::string(kShop) + "max_connections = -1\n").find("app.max_connections is -1; 0 means no limit"),
            std::string::npos);
}

TEST(TomlReader, AppWithoutKeyAndSecret_IsReportedForBoth) {
  EXPECT_EQ(messages("[[app]]\nid = \"shop\"\n"),
            "kilat.toml:1:1: error: app \"shop\" has no key\n"
            "    1 | [[app]]\n"
            "      | ^^^^^^^ add key = \"…\"\n"
            "kilat.toml:1:1: error: app \"shop\" has no secret\n"
            "    1 | [[app]]\n"
            "      | ^^^^^^^ add secret = \"…\"\n"
            "2 errors\n");
}

TEST(TomlReader, SameIdOrKeyTwice_NamesTheFirst) {
  EXPECT_EQ(
      messages("[[app]]\nid = \"a\"\nkey = \"k\"\nsecret = \"s\"\n[[app]]\nid = \"a\"\nkey = \"k\"\nsecret = \"t\"\n"),
      "kilat.toml:6:6: error: app.id \"a\" occurs twice; first in line 2\n"
      "    6 | id = \"a\"\n"
      "      |      ^^^ every app needs its own id\n"
      "kilat.toml:7:7: error: app.key \"k\" occurs twice; first in line 3\n"
      "    7 | key = \"k\"\n"
      "      |       ^^^ every app needs its own key\n"
      "2 errors\n");
}

TEST(TomlReader, ListenBesidePort_IsRefused) {
  EXPECT_NE(messages(with_app("[server]\nlisten = \"127.0.0.1:1\"\nport = 2\n"))
                .find("server.port beside server.listen (line 2)"),
            std::string::npos);
}

TEST(TomlReader, SoftLimitAboveTheHardOne_IsRefused) {
  EXPECT_NE(messages(with_app("[limits]\noutbox_soft_bytes = \"2MiB\"\n"))
                .find("limits.outbox_soft_bytes is 2MiB, above limits.outbox_bytes_max, which is 1MiB"),
            std::string::npos);
}

TEST(TomlReader, SecretInABadLine_IsNeverRepeated) {
  for (const std::string_view line :
       {"secret = 31415926", "secret = \"31415926", "secert = \"31415926\" # secret = x", "secret = [\"31415926\"]"}) {
    const std::string text = messages("[[app]]\nid = \"a\"\nkey = \"k\"\n" + std::string(line) + "\n");
    EXPECT_NE(text.find("error"), std::string::npos) << line;
    if (line.starts_with("secret")) {
      EXPECT_EQ(text.find("31415926"), std::string::npos) << text;
    }
  }
}

TEST(TomlReader, DottedKeyWithoutEnd_IsRefusedBeforeParsing) {
  std::string key = "a";
  for (int i = 0; i < 100'000; ++i) key += ".a";
  EXPECT_NE(messages(key + " = 1").find("a key has more than 256 parts"), std::string::npos);
}

TEST(TomlReader, TerminalEscapes_InALine_AreNotRepeated) {
  EXPECT_EQ(messages("[server]\n\"\\u001b[2J\" = 1\n").find('\x1b'), std::string::npos);
  EXPECT_EQ(messages("[server]\nx = \x1b[2J\n").find('\x1b'), std::string::npos);
}

TEST(TomlReader, SingleAppTable_CountsAsOneApp) {
  EXPECT_EQ(read("[app]\nid = \"a\"\nkey = \"k\"\nsecret = \"s\"\n").settings.apps.size(), 1U);
}

TEST(Validate, NamespacesOfAppsThatDoNotExist_AreErrorsInTheirLine) {
  EXPECT_EQ(messages(with_app("[socketio]\napp = \"shop\"\nnamespaces = [\"/a\", \"/b app=shop scope=b.\"]")), "");
  const std::string text = messages(with_app("[socketio]\napp = \"shpo\"\nnamespaces = [\"/a\", \"/b app=other\"]"));
  EXPECT_NE(text.find("kilat.toml:2:7: error: socketio.app names the app \"shpo\", which does not exist"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("did you mean \"shop\"?"), std::string::npos) << text;
  EXPECT_NE(
      text.find("kilat.toml:3:14: error: socketio.namespaces: \"/b\" names the app \"other\", which does not exist"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find("2 errors"), std::string::npos) << text;
}

}  // namespace
}  // namespace kilat::config
