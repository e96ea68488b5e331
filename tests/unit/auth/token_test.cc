#include "auth/token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>

#include "unit/auth/token_lab.h"

namespace kilat::auth::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

struct Token : ::testing::Test {
  Token() {
    EXPECT_TRUE(keys.add_secret(kSecret));
    for (const Signer* signer : {&rsa(), &p256(), &p384(), &p521()}) EXPECT_TRUE(keys.add_file(signer->pem()));
  }

  Result<IdentityPtr> check(std::string_view token) const { return check_token(token, settings, keys, kNow); }
  /// A good signature around any claims.
  Result<IdentityPtr> claims(std::string_view payload) const { return check(secret().sign(payload, "HS256")); }
  std::string why(std::string_view token) const { return text_of(check(token)); }
  std::string claims_why(std::string_view payload) const { return text_of(claims(payload)); }
  static std::string text_of(const Result<IdentityPtr>& result) {
    if (result) return "accepted";
    const auto id = std::string(reason_row(result.error().reason).id);
    return id + ": " + result.error().detail;
  }

  JwtSettings settings;
  KeySet keys;
};

const std::string kPayload = R"({"sub":"u1","exp":)" + std::to_string(kNow + 60) + "}";

TEST_F(Token, EveryAlgorithm_IsAccepted) {
  for (const Case& one : all_algorithms()) {
    const auto who = check(one.signer.sign(kPayload, one.alg));
    ASSERT_TRUE(who) << one.alg << text_of(who);
    EXPECT_EQ((*who)->user_id, "u1");
    EXPECT_EQ((*who)->expires_unix_s, kNow + 60);
  }
}

TEST_F(Token, EveryAlgorithm_WithAnyByteChanged_IsRefused) {
  for (const Case& one : all_algorithms()) {
    std::string token = one.signer.sign(kPayload, one.alg);
    for (size_t i = 0; i < token.size(); ++i) {
      const char kept = token[i];
      for (const char other : {kept == 'A' ? 'B' : 'A', static_cast<char>(kept ^ 1), '.', '='}) {
        if (other == kept) continue;
        token[i] = other;
        EXPECT_FALSE(check(token)) << one.alg << " at " << i << " with " << other;
      }
      token[i] = kept;
    }
    EXPECT_TRUE(check(token)) << one.alg;
  }
}

TEST_F(Token, CutAnywhere_IsRefused) {
  for (const Case& one : all_algorithms()) {
    const std::string token = one.signer.sign(kPayload, one.alg);
    for (size_t size = 0; size < token.size(); ++size) EXPECT_FALSE(check(token.substr(0, size))) << one.alg << size;
    EXPECT_FALSE(check(token + "A")) << one.alg;
    EXPECT_FALSE(check(token + ".")) << one.alg;
    EXPECT_FALSE(check(token + "=")) << one.alg;
    EXPECT_FALSE(check(" " + token)) << one.alg;
  }
}

TEST_F(Token, SignatureOfAnotherToken_IsRefused) {
  for (const Case& one : all_algorithms()) {
    const std::string token = one.signer.sign(kPayload, one.alg);
    const std::string other = one.signer.sign(R"({"sub":"root"})", one.alg);
    EXPECT_EQ(why(other.substr(0, other.rfind('.')) + token.substr(token.rfind('.'))),
              "token_invalid: the signature does not fit")
        << one.alg;
    EXPECT_EQ(why(other.substr(0, other.rfind('.') + 1)), "token_invalid: the signature does not fit") << one.alg;
  }
}

TEST_F(Token, PublicKeyAsTheSecretOfAnHmac_IsRefused) {
  KeySet only_public;
  ASSERT_TRUE(only_public.add_file(rsa().pem()));
  for (const char* header : {R"({"alg":"HS256"})", R"({"alg":"HS256","kid":"a"})"}) {
    const auto result = check_token(by_hand(header, kPayload, rsa().pem()), settings, only_public, kNow);
    EXPECT_EQ(text_of(result), "token_invalid: alg HS256 is not one that the keys allow");
  }
  // By hand it is right, with the right key.
  EXPECT_EQ(why(by_hand(R"({"alg":"HS256"})", kPayload, kSecret)), "accepted");
  EXPECT_EQ(why(by_hand(R"({"alg":"HS256"})", kPayload, rsa().pem())), "token_invalid: the signature does not fit");
}

TEST_F(Token, AlgNoneAndItsSpellings_AreRefused) {
  for (const char* alg : {"none", "None", "NONE", "nOnE", "", "hs256", "HS1", "EdDSA", "RS256 ", "dir", "RSA-OAEP"}) {
    const std::string header = R"({"alg":")" + std::string(alg) + "\"}";
    EXPECT_EQ(why(by_hand(header, kPayload)), "token_invalid: alg is none that can be checked") << alg;
    EXPECT_EQ(why(by_hand(header, kPayload, kSecret)), "token_invalid: alg is none that can be checked") << alg;
  }
}

TEST_F(Token, HeaderThatIsNoHeader_IsRefused) {
  const auto with = [&](std::string_view header) { return why(by_hand(header, kPayload, kSecret)); };
  EXPECT_EQ(with("{}"), "token_invalid: the header has no alg");
  EXPECT_EQ(with(R"({"alg":256})"), "token_invalid: the header has no alg");
  EXPECT_EQ(with(R"({"alg":["HS256"]})"), "token_invalid: the header has no alg");
  EXPECT_EQ(with(R"(["HS256"])"), "token_invalid: the header is no JSON object");
  EXPECT_EQ(with(R"({"alg":"HS256")"), "token_invalid: the header is no JSON object");
  EXPECT_EQ(with(R"({"alg":"HS256","alg":"none"})"), "token_invalid: the header has two members of one name");
  EXPECT_EQ(with(R"({"alg":"HS256","\u0061lg":"none"})"), "token_invalid: the header has two members of one name");
  EXPECT_EQ(with(R"({"alg":"HS256","crit":["exp"]})"), "token_invalid: the header has crit");
  EXPECT_EQ(with(R"({"alg":"HS256","crit":[]})"), "token_invalid: the header has crit");
  EXPECT_EQ(with(R"({"alg":"HS256","kid":7})"), "token_invalid: kid is no text");
  EXPECT_EQ(with(R"({"typ":"JWT","alg":"HS256","x":{"y":[1]}})"), "accepted");
}

TEST_F(Token, KeyInTheHeader_IsNotTaken) {
  const std::string header = R"({"alg":"HS256","jwk":{"kty":"oct","k":"YQ"},"jku":"http://127.0.0.1:1/"})";
  EXPECT_EQ(why(by_hand(header, kPayload, "a")), "token_invalid: the signature does not fit");
}

TEST_F(Token, AlgorithmThatTheSettingsLeaveOut_IsRefused) {
  settings.algorithms = {"RS256", "ES256"};
  EXPECT_EQ(why(rsa().sign(kPayload, "RS256")), "accepted");
  EXPECT_EQ(why(rsa().sign(kPayload, "RS512")), "token_invalid: alg RS512 is not one of jwt_algorithms");
  EXPECT_EQ(why(secret().sign(kPayload, "HS256")), "token_invalid: alg HS256 is not one of jwt_algorithms");
}

TEST_F(Token, OtherWayToWriteTheSameBytes_IsRefused) {
  // "e30" and "e31" both are the bytes of {}.
  const std::string token = by_hand(R"({"alg":"HS256"})", kPayload, kSecret);
  const size_t dot = token.rfind('.');
  std::string other = token;
  // 32 bytes leave two bits of the last letter over.
  const std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  other.back() = alphabet[alphabet.find(other.back()) ^ 1];
  ASSERT_EQ(base64url_decode(std::string_view(token).substr(dot + 1)),
            base64url_decode(std::string_view(other).substr(dot + 1)));
  EXPECT_EQ(why(other), "token_invalid: its parts are not in base64url");
}

TEST_F(Token, TokenLongerThanTheBound_IsRefused) {
  EXPECT_EQ(why(std::string(kTokenBytesMax + 1, 'a')), "token_invalid: it is longer than 16 KiB");
}

TEST_F(Token, Expiry_HasTheLeeway) {
  settings.leeway_s = 30;
  const auto at = [&](double exp) { return claims_why(R"({"sub":"u","exp":)" + std::to_string(exp) + "}"); };
  EXPECT_EQ(at(kNow + 0.5), "accepted");
  EXPECT_EQ(at(kNow - 29), "accepted");
  EXPECT_EQ(at(kNow - 29.5), "accepted");
  EXPECT_EQ(at(kNow - 30), "token_expired: exp is in the past");
  EXPECT_EQ(at(-5), "token_expired: exp is in the past");
  settings.leeway_s = 0;
  EXPECT_EQ(at(kNow), "token_expired: exp is in the past");
  EXPECT_EQ(at(kNow + 1), "accepted");
}

TEST_F(Token, ExpiryBeyondAllMeasure_CountsAsTheYear9999) {
  for (const char* exp : {"1e300", "18446744073709551615", "253402300800"}) {
    const auto who = claims(R"({"sub":"u","exp":)" + std::string(exp) + "}");
    ASSERT_TRUE(who) << exp << text_of(who);
    EXPECT_EQ((*who)->expires_unix_s, 253'402'300'799u) << exp;
  }
  EXPECT_EQ((*claims(R"({"sub":"u"})"))->expires_unix_s, 0u);
}

TEST_F(Token, DateThatIsNoNumber_IsRefused) {
  for (const char* name : {"exp", "nbf", "iat"}) {
    for (const char* value : {"\"1800000000\"", "null", "true", "[1800000000]", "{}"}) {
      const std::string text = claims_why(R"({"sub":"u",")" + std::string(name) + "\":" + value + "}");
      EXPECT_EQ(text, "token_invalid: " + std::string(name) + " is no number") << value;
    }
  }
}

TEST_F(Token, NotYetValid_IsRefused) {
  for (const char* name : {"nbf", "iat"}) {
    const auto at = [&](uint64_t when) {
      return claims_why(R"({"sub":"u",")" + std::string(name) + "\":" + std::to_string(when) + "}");
    };
    EXPECT_EQ(at(kNow + 30), "accepted");
    EXPECT_EQ(at(kNow + 31), "token_invalid: " + std::string(name) + " is in the future");
    EXPECT_EQ(at(UINT64_MAX), "token_invalid: " + std::string(name) + " is in the future");
  }
}

TEST_F(Token, IssuerAndAudience_MustBeTheOnesWanted) {
  settings.issuer = "https://id.example/";
  settings.audience = "shop";
  const auto with = [&](std::string_view members) { return claims_why(R"({"sub":"u",)" + std::string(members) + "}"); };
  EXPECT_EQ(with(R"("iss":"https://id.example/","aud":"shop")"), "accepted");
  EXPECT_EQ(with(R"("iss":"https://id.example/","aud":["a","shop"])"), "accepted");
  EXPECT_EQ(with(R"("iss":"https://id.example/","aud":["a",7,"shopping"])"), R"(token_invalid: aud is not "shop")");
  EXPECT_EQ(with(R"("iss":"https://id.example/","aud":{"shop":1})"), R"(token_invalid: aud is not "shop")");
  EXPECT_EQ(with(R"("iss":"https://id.example/")"), R"(token_invalid: aud is not "shop")");
  EXPECT_EQ(with(R"("iss":"https://id.example","aud":"shop")"), R"(token_invalid: iss is not "https://id.example/")");
  EXPECT_EQ(with(R"("iss":["https://id.example/"],"aud":"shop")"),
            R"(token_invalid: iss is not "https://id.example/")");
  EXPECT_EQ(with(R"("aud":"shop")"), R"(token_invalid: iss is not "https://id.example/")");
}

TEST_F(Token, UserId_IsATextOrAWholeNumber) {
  EXPECT_EQ((*claims(R"({"sub":"u"})"))->user_id, "u");
  EXPECT_EQ((*claims(R"({"sub":42})"))->user_id, "42");
  EXPECT_EQ((*claims(R"({"sub":-1})"))->user_id, "-1");
  EXPECT_EQ((*claims(R"({"sub":18446744073709551615})"))->user_id, "18446744073709551615");
  EXPECT_EQ(claims_why("{}"), "token_invalid: there is no sub");
  for (const char* value : {"\"\"", "null", "true", "4.5", "[\"u\"]", "{}"}) {
    EXPECT_EQ(claims_why(R"({"sub":)" + std::string(value) + "}"), "token_invalid: sub names no user") << value;
  }
  settings.user_claim = "user.id";
  EXPECT_EQ((*claims(R"({"sub":"u","user":{"id":7}})"))->user_id, "7");
  EXPECT_EQ((*claims(R"({"user":{"id":7},"user.id":"whole"})"))->user_id, "whole");
}

TEST_F(Token, Roles_AreAListOrWords) {
  const auto roles = [&](std::string_view value) {
    const auto who = claims(R"({"sub":"u","roles":)" + std::string(value) + "}");
    return who ? (*who)->roles : std::vector<std::string>{text_of(who)};
  };
  EXPECT_THAT(roles(R"(["admin","two words"])"), ElementsAre("admin", "two words"));
  EXPECT_THAT(roles(R"("admin  editor ")"), ElementsAre("admin", "editor"));
  EXPECT_THAT(roles("null"), ElementsAre());
  EXPECT_THAT(roles("[1]"), ElementsAre("token_invalid: roles is no list of texts"));
  EXPECT_THAT(roles("true"), ElementsAre("token_invalid: roles is no list of roles"));
  settings.roles_claim = "https://id.example/roles";
  EXPECT_THAT((*claims(R"({"sub":"u","https://id.example/roles":["x"]})"))->roles, ElementsAre("x"));
  settings.roles_claim = "realm_access.roles";
  EXPECT_THAT((*claims(R"({"sub":"u","realm_access":{"roles":["y"]}})"))->roles, ElementsAre("y"));
}

TEST_F(Token, Info_HoldsTheClaimsThatAreNamed) {
  const std::string payload = R"({"sub":"u","name":"A \"B\"","address":{"city":"C","n":[1, 2]},"secret":"no"})";
  EXPECT_EQ((*claims(payload))->info, "");
  settings.info_claims = {"name", "missing", "address.city", "address"};
  EXPECT_EQ((*claims(payload))->info, R"({"name":"A \"B\"","address.city":"C","address":{"city":"C","n":[1,2]}})");
}

TEST_F(Token, Claims_AreFlattened) {
  const auto who =
      claims(R"({"sub":"u","n":7,"x":1.5,"yes":true,"no":null,"realm":{"roles":["a","b"],"deep":[{"k":"v"}]}})");
  ASSERT_TRUE(who);
  EXPECT_THAT((*who)->claims,
              ElementsAre(Pair("sub", "u"), Pair("n", "7"), Pair("x", "1.5"), Pair("yes", "true"),
                          Pair("realm.roles", "a"), Pair("realm.roles", "b"), Pair("realm.deep.k", "v")));
}

TEST_F(Token, ClaimsBelowAMemberWithoutAName_AreNotThoseOfTheWhole) {
  const auto who = claims(R"({"sub":"u","":{"org":"x","":"y"},"a":{"":{"b":"z"}}})");
  ASSERT_TRUE(who);
  EXPECT_THAT((*who)->claims, ElementsAre(Pair("sub", "u"), Pair(".org", "x"), Pair(".", "y"), Pair("a..b", "z")));
}

TEST_F(Token, MoreClaimsThanTheBounds_AreRefused) {
  const auto with = [&](int count) {
    std::string payload = R"({"sub":"u","l":[1)";
    for (int i = 1; i < count; ++i) payload += ",1";
    return claims_why(payload + "]}");
  };
  EXPECT_EQ(with(999), "accepted");
  EXPECT_EQ(with(1'000), "token_invalid: there are too many claims");
  // Few claims, but each with a long path.
  const std::string payload = R"({"sub":"u",")" + std::string(8'000, 'p') + R"(":[1,2,3,4,5,6,7,8,9,10]})";
  EXPECT_EQ(claims_why(payload), "token_invalid: there are too many claims");
}

TEST_F(Token, PayloadThatIsNoObject_IsRefused) {
  for (const char* payload : {"", "[]", "\"u\"", "{\"sub\":\"u\"", "{\"sub\":\"\xff\"}"}) {
    EXPECT_EQ(claims_why(payload), "token_invalid: the payload is no JSON object") << payload;
  }
  EXPECT_EQ(claims_why(R"({"sub":"a","sub":"b"})"), "token_invalid: the payload has two members of one name");
  EXPECT_EQ(claims_why(R"({"sub":"a","o":{"x":1,"x":2}})"), "token_invalid: the payload has two members of one name");
}

TEST_F(Token, TextThatCanOnlyBeReadInPart_IsRefused) {
  const std::string why = "has a number with too many digits, or half a surrogate pair";
  for (const char* payload :
       {R"({"sub":123456789012345678901234567890})", R"({"sub":"u","org":99999999999999999999})",
        R"({"sub":"u\ud800"})", R"({"sub":"u","roles":["\udc00"]})", R"({"sub":"u","exp":1e400})"}) {
    EXPECT_EQ(claims_why(payload), "token_invalid: the payload " + why) << payload;
    EXPECT_EQ(text_of(read_claims(payload, settings)), "token_invalid: the text " + why) << payload;
  }
  const auto encoded = [](std::string_view text) { return base64url_encode(text); };
  const std::string header = encoded(R"({"alg":"HS256","kid":"\ud800"})");
  EXPECT_EQ(this->why(header + "." + encoded(kPayload) + ".AAAA"), "token_invalid: the header " + why);
  EXPECT_EQ((*claims(R"({"sub":"\ud83d\ude00","org":9999999999999999999})"))->user_id, "😀");
}

TEST_F(Token, KeyThatIsNotThere_IsSaidSo) {
  KeySet fetched;
  ASSERT_TRUE(fetched.add_jwks(jwks({rsa().entry("a")}), KeySet::Origin::kUrl));
  fetched.set_fetched(1, true);
  const auto result = check_token(other_rsa().sign(kPayload, "RS256", "b"), settings, fetched, kNow);
  EXPECT_EQ(text_of(result), "token_key_unknown: no key has its kid");
}

// Printed, never judged.
TEST_F(Token, TimeOfOneCheck_IsPrinted) {
  const std::vector<Case> some = {{secret(), "HS256"}, {rsa(), "RS256"}, {p256(), "ES256"}};
  for (const Case& one : some) {
    const std::string token = one.signer.sign(kPayload, one.alg);
    constexpr int kRounds = 200;
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kRounds; ++i) ASSERT_TRUE(check(token));
    const auto took = std::chrono::steady_clock::now() - begin;
    const double each = std::chrono::duration<double, std::micro>(took).count() / kRounds;
    std::printf("%s: %.1f us\n", one.alg.c_str(), each);
  }
}

}  // namespace
}  // namespace kilat::auth::testing
