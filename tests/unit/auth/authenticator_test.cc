#include "auth/authenticator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "auth/key_set.h"
#include "unit/auth/token_lab.h"

namespace kilat::auth::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kBegin = 100'000;

const std::string kPayload = R"({"sub":"u1"})";

JwtSettings with_url() {
  JwtSettings settings;
  settings.keys = {"https://id.example/jwks.json"};
  return settings;
}

struct Tokens : ::testing::Test, KeySource {
  Tokens() { authenticator.tick(kBegin, kNow); }
  virtual ~Tokens() = default;
  void want_keys(uint32_t app, const KeySet* /*keys*/) override { wanted.push_back(app); }

  static std::shared_ptr<const KeySet> keys_of(const std::vector<std::string>& entries, uint64_t as_of_ms) {
    auto keys = std::make_shared<KeySet>();
    if (!entries.empty()) {
      EXPECT_TRUE(keys->add_jwks(jwks(entries), KeySet::Origin::kUrl));
    }
    keys->set_fetched(as_of_ms, as_of_ms != 0);
    return keys;
  }

  /// The outcome's place; "waits" until there is one, then the user's id or the id of the reason.
  size_t identify(uint32_t app, std::string_view token) {
    const size_t place = outcomes.size();
    outcomes.emplace_back("waits");
    authenticator.identify(app, token, [this, place](const Authenticator::Outcome& outcome) {
      EXPECT_EQ(outcomes[place], "waits") << "called twice";
      outcomes[place] = outcome ? (*outcome)->user_id : std::string(reason_row(outcome.error()).id);
    });
    return place;
  }
  std::string outcome(uint32_t app, std::string_view token) { return outcomes[identify(app, token)]; }

  std::vector<uint32_t> wanted;
  std::vector<std::string> outcomes;
  Authenticator authenticator{*this};
};

TEST_F(Tokens, AppWithoutSettings_TakesNone) {
  EXPECT_FALSE(authenticator.enabled(0));
  authenticator.configure(0, {});
  EXPECT_FALSE(authenticator.enabled(0));
  EXPECT_EQ(outcome(0, "x"), "tokens_not_taken");
  authenticator.configure(7, with_url());
  EXPECT_TRUE(authenticator.enabled(7));
  EXPECT_FALSE(authenticator.enabled(6));
  EXPECT_EQ(authenticator.settings(7), with_url());
  EXPECT_EQ(authenticator.settings(6), JwtSettings());
}

TEST_F(Tokens, KnownKey_IsAnsweredAtOnce) {
  authenticator.configure(1, with_url());
  authenticator.set_keys(1, keys_of({p256().entry("a")}, kBegin));
  EXPECT_EQ(outcome(1, p256().sign(kPayload, "ES256", "a")), "u1");
  EXPECT_EQ(outcome(1, p256().sign(R"({"sub":"u1","exp":1})", "ES256", "a")), "token_expired");
  EXPECT_EQ(outcome(1, p256().sign("{}", "ES256", "a")), "token_invalid");
  EXPECT_EQ(outcome(1, std::string(Authenticator::kTokenBytesMax + 1, 'a')), "token_invalid");
  EXPECT_EQ(outcome(1, ""), "token_invalid");
  EXPECT_THAT(wanted, IsEmpty());
}

TEST_F(Tokens, TimeOfTick_Counts) {
  authenticator.configure(1, with_url());
  authenticator.set_keys(1, keys_of({p256().entry("a")}, kBegin));
  const std::string token = p256().sign(R"({"sub":"u1","exp":)" + std::to_string(kNow + 1) + "}", "ES256", "a");
  EXPECT_EQ(outcome(1, token), "u1");
  authenticator.tick(kBegin + 31'000, kNow + 31);
  EXPECT_EQ(outcome(1, token), "token_expired");
}

TEST_F(Tokens, KeysThatAreNotLoadedYet_AreWaitedFor) {
  authenticator.configure(1, with_url());
  authenticator.set_keys(1, keys_of({}, 0));
  const size_t first = identify(1, p256().sign(kPayload, "ES256", "a"));
  EXPECT_EQ(outcomes[first], "waits");
  EXPECT_THAT(wanted, ElementsAre(1));
  authenticator.set_keys(1, keys_of({p256().entry("a")}, kBegin));
  EXPECT_EQ(outcomes[first], "u1");
}

TEST_F(Tokens, KeysThatNeverCome_EndTheWait) {
  authenticator.configure(1, with_url());
  const size_t without = identify(1, p256().sign(kPayload, "ES256", "a"));
  authenticator.tick(kBegin + 1'000, kNow);
  authenticator.set_keys(1, keys_of({}, 0));
  const size_t with = identify(1, p256().sign(kPayload, "ES256", "a"));
  authenticator.tick(kBegin + Authenticator::kWaitMs - 1, kNow);
  EXPECT_EQ(outcomes[without], "waits");
  authenticator.tick(kBegin + Authenticator::kWaitMs, kNow);
  EXPECT_EQ(outcomes[without], "token_keys_unavailable");
  EXPECT_EQ(outcomes[with], "waits");
  authenticator.tick(kBegin + 1'000 + Authenticator::kWaitMs, kNow);
  EXPECT_EQ(outcomes[with], "token_keys_unavailable");
}

TEST_F(Tokens, UnknownKey_IsWaitedForAndThenRefused) {
  authenticator.configure(1, with_url());
  authenticator.set_keys(1, keys_of({p256().entry("a")}, kBegin - 1));
  const size_t fresh = identify(1, p384().sign(kPayload, "ES384", "b"));
  const size_t lost = identify(1, p521().sign(kPayload, "ES512", "c"));
  EXPECT_EQ(outcomes[fresh], "waits");
  EXPECT_THAT(wanted, ElementsAre(1)) << "asked for once, not for each token";
  authenticator.tick(kBegin + 100, kNow);
  authenticator.set_keys(1, keys_of({p256().entry("a"), p384().entry("b")}, kBegin));
  EXPECT_EQ(outcomes[fresh], "u1");
  EXPECT_EQ(outcomes[lost], "token_key_unknown");
}

TEST_F(Tokens, AnswerOlderThanTheToken_DoesNotRefuseIt) {
  authenticator.configure(1, with_url());
  authenticator.set_keys(1, keys_of({p256().entry("a")}, kBegin - 1'000));
  authenticator.tick(kBegin + 50, kNow);
  const size_t place = identify(1, p384().sign(kPayload, "ES384", "b"));
  // Asked for before the token came: the issuer may have changed its keys in between.
  authenticator.set_keys(1, keys_of({p256().entry("a")}, kBegin + 49));
  EXPECT_EQ(outcomes[place], "waits");
  EXPECT_THAT(wanted, ElementsAre(1, 1));
  authenticator.set_keys(1, keys_of({p384().entry("b")}, kBegin + 50));
  EXPECT_EQ(outcomes[place], "u1");
}

TEST_F(Tokens, WithoutAUrl_UnknownKeyIsRefusedAtOnce) {
  JwtSettings settings;
  settings.keys = {"/etc/kilat/key.pem"};
  authenticator.configure(1, settings);
  auto keys = std::make_shared<KeySet>();
  ASSERT_TRUE(keys->add_jwks(jwks({p256().entry("a")}), KeySet::Origin::kFile));
  authenticator.set_keys(1, keys);
  EXPECT_EQ(outcome(1, p256().sign(kPayload, "ES256", "b")), "token_key_unknown");
  EXPECT_EQ(outcome(1, p384().sign(kPayload, "ES384", "b")), "token_invalid");
  EXPECT_THAT(wanted, IsEmpty());
}

TEST_F(Tokens, KeysOfOneApp_SayNothingToAnother) {
  authenticator.configure(1, with_url());
  authenticator.configure(2, with_url());
  const std::string token = p256().sign(kPayload, "ES256", "a");
  const size_t first = identify(1, token);
  const size_t second = identify(2, token);
  authenticator.set_keys(2, keys_of({p256().entry("a")}, kBegin));
  EXPECT_EQ(outcomes[first], "waits");
  EXPECT_EQ(outcomes[second], "u1");
  EXPECT_THAT(wanted, ElementsAre(1, 2));
}

TEST_F(Tokens, MoreWaitingThanTheBound_AreRefused) {
  authenticator.configure(1, with_url());
  const std::string token = p256().sign(kPayload, "ES256", "a");
  for (size_t i = 0; i < Authenticator::kWaitingMax; ++i) identify(1, token);
  EXPECT_EQ(outcomes.back(), "waits");
  EXPECT_EQ(outcome(1, token), "token_keys_unavailable");
  authenticator.tick(kBegin + Authenticator::kWaitMs, kNow);
  EXPECT_EQ(std::ranges::count(outcomes, "waits"), 0);
}

TEST_F(Tokens, ManyThatWait_AreLookedAtInPortions) {
  authenticator.configure(1, with_url());
  const std::string token = p256().sign(kPayload, "ES256", "a");
  for (int i = 0; i < 300; ++i) identify(1, token);
  EXPECT_FALSE(authenticator.busy());
  authenticator.set_keys(1, keys_of({p256().entry("a")}, kBegin));
  EXPECT_TRUE(authenticator.busy());
  EXPECT_GT(std::ranges::count(outcomes, "waits"), 0);
  for (int turns = 0; authenticator.busy(); ++turns) {
    ASSERT_LT(turns, 10);
    authenticator.tick(kBegin + 1, kNow);
  }
  EXPECT_EQ(std::ranges::count(outcomes, "u1"), 300);
}

TEST_F(Tokens, WhoHearsOfATokenAndAsksAgain_IsServed) {
  authenticator.configure(1, with_url());
  const std::string token = p256().sign(kPayload, "ES256", "a");
  std::vector<std::string> heard;
  authenticator.identify(1, token, [&](const Authenticator::Outcome& outcome) {
    heard.push_back(outcome ? "first" : "refused");
    authenticator.identify(1, p384().sign(kPayload, "ES384", "b"),
                           [&](const Authenticator::Outcome& inner) { heard.push_back(inner ? "second" : "refused"); });
  });
  authenticator.set_keys(1, keys_of({p256().entry("a")}, kBegin));
  EXPECT_THAT(heard, ElementsAre("first"));
  authenticator.set_keys(1, keys_of({p384().entry("b")}, kBegin));
  EXPECT_THAT(heard, ElementsAre("first", "second"));
}

TEST_F(Tokens, OldKeys_StayUntilThereAreOthers) {
  authenticator.configure(1, with_url());
  authenticator.set_keys(1, keys_of({p256().entry("a")}, kBegin));
  JwtSettings settings = with_url();
  settings.audience = "shop";
  authenticator.configure(1, settings);
  EXPECT_EQ(outcome(1, p256().sign(kPayload, "ES256", "a")), "token_invalid");
  EXPECT_EQ(outcome(1, p256().sign(R"({"sub":"u2","aud":"shop"})", "ES256", "a")), "u2");
  authenticator.configure(1, {});
  EXPECT_EQ(outcome(1, p256().sign(kPayload, "ES256", "a")), "tokens_not_taken");
}

}  // namespace
}  // namespace kilat::auth::testing
