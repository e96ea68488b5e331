#include "auth/hmac.h"

#include <gtest/gtest.h>

namespace kilat::auth {
namespace {

constexpr std::string_view kSecret = "7ad3773142a6692b25b8";

struct Vector {
  std::string_view message;
  std::string_view signature;
};

// The vectors of the protocol's documentation, for the secret above.
constexpr Vector kVectors[] = {
    {"1234.1234:private-foobar", "58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4"},
    {"1234.1234:private-encrypted-foo", "e85caab4331194145d44feae15aea9539ea50631afacbc593a9555ceadc42357"},
    {"1234.1234:private-cache-foo", "a62de12ce80893ec63e0af7f4628cbf23565b09a27d563cd6dee8c15fe130426"},
    {R"(1234.1234:presence-foobar:{"user_id":10,"user_info":{"name":"Mr. Channels"}})",
     "31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80"},
    {R"(1234.1234:presence-foobar:{"user_id":10,"user_info":{"name":"Mr. Pusher"}})",
     "afaed3695da2ffd16931f457e338e6c9f2921fa133ce7dac49f529792be6304c"},
    {R"(1234.1234::user::{"id":"12345"})", "4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba"},
};

TEST(Hmac, ProtocolVectors_AreReproduced) {
  HmacSha256 hmac(kSecret);
  for (const Vector& vector : kVectors) {
    EXPECT_EQ(hmac.hex(vector.message), vector.signature) << vector.message;
    EXPECT_TRUE(hmac.verify(vector.message, vector.signature));
    EXPECT_EQ(hmac_sha256_hex(kSecret, vector.message), vector.signature);
  }
}

TEST(Hmac, ChangedSignature_IsRefusedAtEveryPosition) {
  HmacSha256 hmac(kSecret);
  for (size_t i = 0; i < kVectors[0].signature.size(); ++i) {
    std::string wrong(kVectors[0].signature);
    wrong[i] = wrong[i] == 'f' ? '0' : 'f';
    EXPECT_FALSE(hmac.verify(kVectors[0].message, wrong));
  }
  EXPECT_FALSE(hmac.verify(kVectors[0].message, ""));
  EXPECT_FALSE(hmac.verify(kVectors[0].message, kVectors[0].signature.substr(1)));
}

TEST(Hmac, KeyLongerThanABlock_IsHashedFirst) {
  // RFC 4231, test case 6.
  EXPECT_EQ(hmac_sha256_hex(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Md5, OfficialBody_HasTheDocumentedHash) {
  EXPECT_EQ(md5_hex(R"({"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"})"),
            "ec365a775a4cd0599faeb73354201b6f");
  EXPECT_EQ(md5_hex("{}"), "99914b932bd37a50b983c5e7c90ae93b");
}

}  // namespace
}  // namespace kilat::auth
