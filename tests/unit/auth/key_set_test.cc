#include "auth/key_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

#include <atomic>
#include <thread>

#include "unit/auth/token_lab.h"

namespace kilat::auth::testing {
namespace {

using ::testing::HasSubstr;
using Origin = KeySet::Origin;
using Verdict = KeySet::Verdict;

constexpr std::string_view kPayload = R"({"sub":"u1"})";

std::string error_of(const KeySet::Added& added) {
  return added ? "" : added.error();
}

// The header that sign() writes is what is told to verify().
Verdict verdict(const KeySet& keys, const Signer& signer, const std::string& alg, const std::string& kid = {}) {
  return keys.verify(signer.sign(kPayload, alg, kid), alg, kid);
}

TEST(KeySet, EveryAlgorithm_IsCheckedWithAKeyOfItsTypeAndNoOther) {
  for (const Signer* held : {&secret(), &rsa(), &p256(), &p384(), &p521()}) {
    KeySet keys;
    ASSERT_EQ(error_of(keys.add_jwks(jwks({held->entry()}), Origin::kFile)), "") << held->kind();
    for (const Case& one : all_algorithms()) {
      const bool fits = one.signer.kind() == held->kind();
      EXPECT_EQ(verdict(keys, one.signer, one.alg), fits ? Verdict::kGood : Verdict::kAlgorithmRefused)
          << one.alg << " with " << held->kind();
    }
  }
}

TEST(KeySet, EcKeyOfAnotherCurve_DoesNotCheckTheAlgorithm) {
  KeySet keys;
  ASSERT_TRUE(keys.add_file(p384().pem()));
  // cjose signs ES256 with any curve.
  EXPECT_EQ(verdict(keys, p384(), "ES256"), Verdict::kAlgorithmRefused);
}

TEST(KeySet, SignatureOfAnotherLength_DoesNotFit) {
  KeySet keys;
  ASSERT_TRUE(keys.add_file(p256().pem()));
  const std::string token = p256().sign(kPayload, "ES256");
  const size_t dot = token.rfind('.');
  const std::string raw = *base64url_decode(token.substr(dot + 1));
  // The same two numbers, each a byte longer.
  const std::string wide = std::string(1, '\0') + raw.substr(0, 32) + std::string(1, '\0') + raw.substr(32);
  EXPECT_EQ(keys.verify(token, "ES256", ""), Verdict::kGood);
  EXPECT_EQ(keys.verify(token.substr(0, dot + 1) + base64url_encode(wide), "ES256", ""), Verdict::kForged);
}

TEST(KeySet, Kid_ChoosesTheKey) {
  KeySet keys;
  ASSERT_TRUE(keys.add_jwks(jwks({rsa().entry("a"), other_rsa().entry("b")}), Origin::kUrl));
  EXPECT_EQ(verdict(keys, rsa(), "RS256", "a"), Verdict::kGood);
  EXPECT_EQ(verdict(keys, other_rsa(), "RS256", "b"), Verdict::kGood);
  EXPECT_EQ(verdict(keys, rsa(), "RS256", "b"), Verdict::kForged);
  EXPECT_EQ(verdict(keys, rsa(), "RS256", "c"), Verdict::kUnknownKey);
  EXPECT_EQ(verdict(keys, p256(), "ES256", "a"), Verdict::kAlgorithmRefused);
  // Without a kid all are tried.
  EXPECT_EQ(verdict(keys, other_rsa(), "RS256"), Verdict::kGood);
}

TEST(KeySet, KeysWithoutKid_ServeTokensWithOne) {
  KeySet keys;
  ASSERT_TRUE(keys.add_file(rsa().pem()));
  ASSERT_TRUE(keys.add_secret(kSecret));
  EXPECT_EQ(verdict(keys, rsa(), "RS256", "any"), Verdict::kGood);
  EXPECT_EQ(verdict(keys, secret(), "HS256", "any"), Verdict::kGood);
  EXPECT_EQ(verdict(keys, other_rsa(), "RS256", "any"), Verdict::kForged);
}

TEST(KeySet, KeysOfAUrl_MayStillBringAKeyButNeverASecret) {
  KeySet keys;
  ASSERT_TRUE(keys.add_secret("another"));
  keys.set_fetched(0, false);
  EXPECT_EQ(verdict(keys, rsa(), "RS256", "a"), Verdict::kUnknownKey);
  EXPECT_EQ(verdict(keys, rsa(), "RS256"), Verdict::kUnknownKey);
  EXPECT_EQ(verdict(keys, secret(), "HS256", "a"), Verdict::kForged);
  keys.set_fetched(1, true);
  EXPECT_EQ(verdict(keys, rsa(), "RS256", "a"), Verdict::kUnknownKey);
  EXPECT_EQ(verdict(keys, rsa(), "RS256"), Verdict::kAlgorithmRefused);
}

TEST(KeySet, EntriesThatAreNotForUs_AreSkipped) {
  KeySet keys;
  const std::string unknown = R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
  ASSERT_TRUE(keys.add_jwks(jwks({unknown, rsa().entry("a", R"(,"use":"enc")"), p384().entry("b", R"(,"alg":"ES256")"),
                                  p521().entry("d", R"(,"key_ops":["sign"])"), secret().entry("s"),
                                  p256().entry("c", R"(,"use":"sig","alg":"ES256","key_ops":["verify"])")}),
                            Origin::kUrl));
  EXPECT_EQ(keys.size(), 1u);
  EXPECT_EQ(verdict(keys, p256(), "ES256", "c"), Verdict::kGood);
}

TEST(KeySet, AlgOfAnEntry_IsTheOnlyOneItChecks) {
  KeySet keys;
  ASSERT_TRUE(keys.add_jwks(jwks({rsa().entry("a", R"(,"alg":"RS256")")}), Origin::kUrl));
  EXPECT_EQ(verdict(keys, rsa(), "RS256", "a"), Verdict::kGood);
  EXPECT_EQ(verdict(keys, rsa(), "RS512", "a"), Verdict::kAlgorithmRefused);
  EXPECT_EQ(verdict(keys, rsa(), "PS256", "a"), Verdict::kAlgorithmRefused);
}

TEST(KeySet, WhatCantBeUsed_IsRefusedWithTheCause) {
  static const Signer weak("RSA-1024");
  const auto file = [](std::string_view text) { return error_of(KeySet().add_file(text)); };
  EXPECT_THAT(file(weak.pem()), HasSubstr("less than 2048 bits"));
  EXPECT_THAT(file(rsa().private_pem()), HasSubstr("private key"));
  EXPECT_THAT(file(jwks({rsa().private_entry()})), HasSubstr("private key"));
  EXPECT_THAT(file(Signer("secp256k1").pem()), HasSubstr("curve"));
  EXPECT_THAT(file("-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----\n"), HasSubstr("no PEM block"));
  EXPECT_THAT(file(""), HasSubstr("neither PEM nor a JWKS"));
  EXPECT_THAT(file("[]"), HasSubstr("neither PEM nor a JWKS"));
  EXPECT_THAT(file(R"({"keys":[]})"), HasSubstr("no key"));
  EXPECT_THAT(file(R"({"keys":[1]})"), HasSubstr("no objects"));
  EXPECT_THAT(file(R"({"keys":[],"keys":[]})"), HasSubstr("two members"));
  EXPECT_THAT(file(std::string(KeySet::kTextBytesMax + 1, ' ')), HasSubstr("longer"));
  EXPECT_THAT(error_of(KeySet().add_jwks(jwks({secret().entry()}), Origin::kUrl)), HasSubstr("secret"));
  EXPECT_THAT(error_of(KeySet().add_secret("")), HasSubstr("empty"));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(KeySet, ErrorTexts_HoldNothingOfTheKey) {
  const std::string text = error_of(KeySet().add_file(rsa().private_pem()));
  EXPECT_EQ(text.find(rsa().private_pem().substr(40, 20)), std::string::npos);
}

TEST(KeySet, MoreKeysThanTheBound_AreRefusedAndTheSetStays) {
  KeySet keys;
  const std::vector<std::string> many(KeySet::kKeysMax, p256().entry("a"));
  ASSERT_TRUE(keys.add_jwks(jwks(many), Origin::kUrl));
  EXPECT_THAT(error_of(keys.add_file(rsa().pem())), HasSubstr("more than 32"));
  EXPECT_EQ(keys.size(), KeySet::kKeysMax);
}

TEST(KeySet, FileOfSeveralPems_HoldsThemAll) {
  KeySet keys;
  ASSERT_EQ(error_of(keys.add_file("the first\n" + rsa().pem() + p256().pem())), "");
  EXPECT_EQ(verdict(keys, rsa(), "PS256"), Verdict::kGood);
  EXPECT_EQ(verdict(keys, p256(), "ES256"), Verdict::kGood);
}

TEST(KeySet, Certificate_GivesItsKey) {
  X509* certificate = X509_new();
  const Signer& signer = rsa();
  const std::string private_pem = signer.private_pem();
  BIO* in = BIO_new_mem_buf(private_pem.data(), static_cast<int>(private_pem.size()));
  const Pkey key(PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr));
  BIO_free_all(in);
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3'600);
  X509_set_pubkey(certificate, key.get());
  X509_sign(certificate, key.get(), EVP_sha256());
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(out, certificate);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  KeySet keys;
  EXPECT_EQ(error_of(keys.add_file({data, static_cast<size_t>(size)})), "");
  BIO_free_all(out);
  X509_free(certificate);
  EXPECT_EQ(verdict(keys, signer, "RS256"), Verdict::kGood);
}

TEST(KeySet, FailedCheck_LeavesNoErrorForTheNextTlsCall) {
  KeySet keys;
  ASSERT_TRUE(keys.add_file(rsa().pem()));
  EXPECT_EQ(verdict(keys, other_rsa(), "RS256"), Verdict::kForged);
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(KeySet, SharedByThreads_EachSeesTheSameVerdicts) {
  KeySet built;
  ASSERT_TRUE(built.add_jwks(jwks({rsa().entry("a"), p256().entry("b")}), Origin::kUrl));
  ASSERT_TRUE(built.add_secret(kSecret));
  const auto keys = std::make_shared<const KeySet>(std::move(built));
  const std::string good = rsa().sign(kPayload, "RS256", "a");
  const std::string forged = other_rsa().sign(kPayload, "RS256", "a");
  const std::string ec = p256().sign(kPayload, "ES256", "b");
  const std::string mac = secret().sign(kPayload, "HS256");
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, keys] {
      for (int round = 0; round < 50; ++round) {
        wrong += keys->verify(good, "RS256", "a") != Verdict::kGood;
        wrong += keys->verify(forged, "RS256", "a") != Verdict::kForged;
        wrong += keys->verify(ec, "ES256", "b") != Verdict::kGood;
        wrong += keys->verify(mac, "HS256", "") != Verdict::kGood;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace kilat::auth::testing
