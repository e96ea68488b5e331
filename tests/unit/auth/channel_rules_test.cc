#include "auth/channel_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace kilat::auth {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Identity user(std::string id, std::vector<std::string> roles = {},
              std::vector<std::pair<std::string, std::string>> claims = {}) {
  Identity who;
  who.user_id = std::move(id);
  who.roles = std::move(roles);
  who.claims = std::move(claims);
  return who;
}

Verdict decide(const std::vector<std::string>& rules, std::string_view channel, const Identity* who,
               Action action = Action::kSubscribe) {
  for (const std::string& rule : rules) {
    const auto parsed = ChannelRule::parse(rule);
    EXPECT_TRUE(parsed) << rule << ": " << (parsed ? "" : parsed.error());
  }
  std::string_view bare = channel;
  for (const std::string_view prefix : {"private-", "presence-"}) {
    if (channel.starts_with(prefix)) bare = channel.substr(prefix.size());
  }
  return ChannelRules(rules).decide(action, channel, bare, who);
}

TEST(ChannelRules, CaptureMustBeTheUser) {
  const std::vector<std::string> rules{"booking.{userId} subscribe=user:{userId}|role:admin"};
  const Identity seven = user("7");
  const Identity admin = user("1", {"admin"});
  EXPECT_EQ(decide(rules, "private-booking.7", &seven), Verdict::kAllow);
  EXPECT_EQ(decide(rules, "private-booking.8", &seven), Verdict::kRefuse);
  EXPECT_EQ(decide(rules, "private-booking.8", &admin), Verdict::kAllow);
  EXPECT_EQ(decide(rules, "private-booking.8", nullptr), Verdict::kNeedsUser);
  EXPECT_EQ(decide(rules, "booking.7.more", &seven), Verdict::kNoRule) << "a capture has no dot";
  EXPECT_EQ(decide(rules, "booking.", &seven), Verdict::kNoRule) << "a capture is not empty";
}

TEST(ChannelRules, FirstThatFitsAndSpeaksOfTheActionDecides) {
  const std::vector<std::string> rules{"a.* publish=none", "a.b subscribe=authenticated", "a.* subscribe=anonymous"};
  EXPECT_EQ(decide(rules, "a.b", nullptr), Verdict::kNeedsUser);
  EXPECT_EQ(decide(rules, "a.c", nullptr), Verdict::kAllow);
  EXPECT_EQ(decide(rules, "a.b", nullptr, Action::kPublish), Verdict::kRefuse);
  EXPECT_EQ(decide(rules, "a.b", nullptr, Action::kSeeMembers), Verdict::kNoRule);
}

TEST(ChannelRules, PatternWithAPrefixIsHeldAgainstTheWholeName) {
  const std::vector<std::string> rules{"presence-room subscribe=none", "room subscribe=anonymous"};
  EXPECT_EQ(decide(rules, "presence-room", nullptr), Verdict::kRefuse);
  EXPECT_EQ(decide(rules, "private-room", nullptr), Verdict::kAllow);
}

TEST(ChannelRules, AllBindsCloserThanAny) {
  const std::vector<std::string> rules{"x subscribe=role:a|role:b&role:c", "y subscribe=(role:a|role:b)&role:c"};
  const Identity a = user("1", {"a"});
  EXPECT_EQ(decide(rules, "x", &a), Verdict::kAllow);
  EXPECT_EQ(decide(rules, "y", &a), Verdict::kRefuse);
}

TEST(ChannelRules, BackendIsAskedOnlyWhenNothingElseDecides) {
  const std::vector<std::string> rules{"x subscribe=role:admin|backend", "y subscribe=role:admin&backend"};
  const Identity admin = user("1", {"admin"});
  const Identity other = user("2");
  EXPECT_EQ(decide(rules, "x", &admin), Verdict::kAllow);
  EXPECT_EQ(decide(rules, "x", &other), Verdict::kAsk);
  EXPECT_EQ(decide(rules, "y", &admin), Verdict::kAsk);
  EXPECT_EQ(decide(rules, "y", &other), Verdict::kRefuse);
  EXPECT_EQ(decide(rules, "x", nullptr), Verdict::kAsk);
}

TEST(ChannelRules, ClaimsAreComparedByPathAndValue) {
  const std::vector<std::string> rules{"org.{org}.* subscribe=claim:realm.org={org}"};
  const Identity who = user("1", {}, {{"realm.org", "a"}, {"realm.org", "b"}, {"org", "c"}});
  EXPECT_EQ(decide(rules, "org.a.x", &who), Verdict::kAllow);
  EXPECT_EQ(decide(rules, "org.b.x", &who), Verdict::kAllow);
  EXPECT_EQ(decide(rules, "org.c.x", &who), Verdict::kRefuse);
}

TEST(ChannelRules, BadTextsAreRefusedWithWords) {
  const std::pair<std::string, std::string> kBad[] = {
      {"", "must begin with a pattern"},
      {"x", "must say subscribe="},
      {"x read=role:a", "is not subscribe=WHO"},
      {"x subscribe=", "lacks a word"},
      {"x subscribe=role:", "without a value"},
      {"x subscribe=claim:org", "NAME=VALUE"},
      {"{x}.* subscribe=claim:{x}=y", "has { or } in the name of a claim"},
      {"x subscribe=user:{id}", "which its pattern does not have"},
      {"x subscribe=(role:a", "without its )"},
      {"x subscribe=role:a)", ") too many"},
      {"x subscribe=role:a|", "lacks a word"},
      {"x subscribe=everyone", "has the word everyone"},
      {"{a}{b} subscribe=anonymous", "nothing between"},
      {"{a}.{a} subscribe=anonymous", "twice"},
      {"{a subscribe=anonymous", "has a {"},
      {"x subscribe=none subscribe=none", "twice"},
      {"x publish=backend", "has backend behind"},
      {"*.*.*.*.*.*.*.*.* subscribe=none", "more than 8"},
      {"x subscribe=" + std::string(17, '(') + "none" + std::string(17, ')'), "brackets"},
      {std::string(3'000, 'x') + " subscribe=none", "longer than"},
  };
  for (const auto& [text, words] : kBad) {
    const auto parsed = ChannelRule::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error(), HasSubstr(words)) << text;
  }
}

TEST(ChannelRules, ExplainsRuleByRule) {
  const std::vector<std::string> rules{"x subscribe=none", "booking.{id} publish=none",
                                       "booking.{id} subscribe=user:{id}|role:admin"};
  const Identity seven = user("7");
  EXPECT_THAT(
      ChannelRules(rules).explain(Action::kSubscribe, "private-booking.8", "booking.8", &seven),
      ElementsAre("rule 1: x subscribe=none", "  does not fit the name", "rule 2: booking.{id} publish=none",
                  "  fits, but says nothing of subscribe", "rule 3: booking.{id} subscribe=user:{id}|role:admin",
                  "  fits", "  {id} is 8", "  user:8: no", "  role:admin: no", "refused"));
}

// A rule of a random pattern and condition, decided a second time by trying everything.
class Model {
 public:
  explicit Model(uint32_t seed) : random_(seed) {}

  void play() {
    std::vector<std::string> rules;
    for (size_t i = 0; i < 1 + pick(4); ++i) rules.push_back(random_rule());
    const std::string bare = random_name();
    const std::string channel = (pick(2) == 0 ? "private-" : "") + bare;
    const std::optional<Identity> who = random_user();
    const Verdict verdict = ChannelRules(rules).decide(Action::kSubscribe, channel, bare, who ? &*who : nullptr);
    ASSERT_EQ(verdict, expected(rules, bare, who)) << ::testing::PrintToString(rules) << " " << channel;
  }

 private:
  size_t pick(size_t below) { return std::uniform_int_distribution<size_t>(0, below - 1)(random_); }

  std::string random_name() {
    static const std::string kParts[] = {"a", "b", "7", "a7", ".", "-", "ab"};
    std::string name;
    for (size_t i = 0; i < 1 + pick(5); ++i) name += kParts[pick(std::size(kParts))];
    return name;
  }
  std::string random_rule() {
    static const std::string kPatterns[] = {"{u}",   "a{u}",    "{u}.{v}", "a*", "*",
                                            "{u}-*", "a.{u}.*", "*7",      "ab", "b.{u}"};
    static const std::string kWho[] = {"anonymous",     "authenticated", "none",        "role:r",
                                       "role:s&role:r", "user:7|role:s", "claim:org=x", "(none|role:r)&authenticated"};
    const std::string& pattern = kPatterns[pick(std::size(kPatterns))];
    if (pattern.find("{u}") != std::string::npos && pick(2) == 0) return pattern + " subscribe=user:{u}|role:{u}";
    return pattern + " subscribe=" + kWho[pick(std::size(kWho))];
  }
  std::optional<Identity> random_user() {
    if (pick(4) == 0) return std::nullopt;
    static const std::string kIds[] = {"7", "a", "b", "a7"};
    Identity who = user(kIds[pick(4)]);
    if (pick(2) == 0) who.roles.emplace_back("r");
    if (pick(2) == 0) who.roles.emplace_back(pick(2) == 0 ? "s" : "a");
    if (pick(2) == 0) who.claims.emplace_back("org", pick(2) == 0 ? "x" : "y");
    return who;
  }

  // Tries every length, the shortest first, as the documentation has it.
  static bool fits(std::string_view pattern, std::string_view name, std::vector<std::string>& captures) {
    if (pattern.empty()) return name.empty();
    const bool star = pattern.front() == '*';
    if (!star && pattern.front() != '{') {
      return !name.empty() && name.front() == pattern.front() && fits(pattern.substr(1), name.substr(1), captures);
    }
    const std::string_view rest = pattern.substr(star ? 1 : pattern.find('}') + 1);
    for (size_t length = star ? 0 : 1; length <= name.size(); ++length) {
      const std::string_view part = name.substr(0, length);
      if (!star && part.find('.') != std::string_view::npos) return false;
      std::vector<std::string> inner = captures;
      if (!star) inner.emplace_back(part);
      if (fits(rest, name.substr(length), inner)) {
        captures = inner;
        return true;
      }
    }
    return false;
  }
  static std::optional<std::string> capture(const std::string& pattern, const std::string& name) {
    std::vector<std::string> captures;
    if (!fits(pattern, name, captures)) return std::nullopt;
    return captures.empty() ? std::string() : captures.front();
  }

  static bool holds(const std::string& condition, const std::string& captured, const Identity& who) {
    const std::set<std::string> roles(who.roles.begin(), who.roles.end());
    if (condition == "anonymous" || condition == "authenticated") return true;
    if (condition == "none") return false;
    if (condition == "role:r") return roles.contains("r");
    if (condition == "role:s&role:r") return roles.contains("s") && roles.contains("r");
    if (condition == "user:7|role:s") return who.user_id == "7" || roles.contains("s");
    if (condition == "claim:org=x")
      return std::ranges::find(who.claims, std::pair<std::string, std::string>("org", "x")) != who.claims.end();
    if (condition == "(none|role:r)&authenticated") return roles.contains("r");
    return who.user_id == captured || roles.contains(captured);
  }

  static Verdict expected(const std::vector<std::string>& rules, const std::string& name,
                          const std::optional<Identity>& who) {
    for (const std::string& rule : rules) {
      const size_t space = rule.find(' ');
      const std::optional<std::string> captured = capture(rule.substr(0, space), name);
      if (!captured) continue;
      const std::string condition = rule.substr(rule.find('=') + 1);
      if (who) return holds(condition, *captured, *who) ? Verdict::kAllow : Verdict::kRefuse;
      if (condition == "anonymous") return Verdict::kAllow;
      return condition == "none" ? Verdict::kRefuse : Verdict::kNeedsUser;
    }
    return Verdict::kNoRule;
  }

  std::mt19937 random_;
};

TEST(ChannelRules, AgreeWithAModel) {
  for (uint32_t seed = 0; seed < 3'000; ++seed) {
    Model(seed).play();
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace kilat::auth
