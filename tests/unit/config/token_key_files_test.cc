#include "config/token_key_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <string>

#include "config/load.h"

namespace kilat::config {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kJwks =
    R"({"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
    R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})";

class TokenKeyFiles : public testing::Test {
 protected:
  TokenKeyFiles() {
    char pattern[] = "/tmp/kilat-keys-XXXXXX";
    directory_ = ::mkdtemp(pattern);
    request_.file = directory_ / "kilat.toml";
    request_.system_file = directory_ / "none.toml";
    request_.working_directory = directory_ / "elsewhere";
    request_.key_files = true;
    put("kilat.toml",
        "[[app]]\nid = \"a\"\nkey = \"k\"\nsecret = \"s\"\n"
        "jwt_keys = [\"keys.json\", \"https://id.example/jwks.json\"]\n");
  }
  ~TokenKeyFiles() override { fs::remove_all(directory_); }

  void put(const std::string& name, std::string_view text) { std::ofstream(directory_ / name) << text; }
  std::string errors() {
    const auto loaded = load(request_);
    return loaded ? "" : render(loaded.error());
  }

  fs::path directory_;
  LoadRequest request_;
};

TEST_F(TokenKeyFiles, PathsCount_FromTheFolderOfTheConfiguration) {
  put("keys.json", kJwks);
  const auto loaded = load(request_);
  ASSERT_TRUE(loaded) << render(loaded.error());
  EXPECT_THAT(loaded->settings.apps.front().jwt.keys,
              ElementsAre((directory_ / "keys.json").string(), "https://id.example/jwks.json"));
}

TEST_F(TokenKeyFiles, FileThatIsMissing_IsAnErrorWithItsPath) {
  EXPECT_THAT(errors(), HasSubstr((directory_ / "keys.json").string()));
  // Commands that need no keys are not held up.
  request_.key_files = false;
  EXPECT_EQ(errors(), "");
}

TEST_F(TokenKeyFiles, FileWithoutKeys_IsAnErrorThatShowsNothingOfIt) {
  put("keys.json", R"({"keys":[],"password":"hidden"})");
  const std::string text = errors();
  EXPECT_THAT(text, HasSubstr("no key in it"));
  EXPECT_THAT(text, HasSubstr((directory_ / "keys.json").string()));
  EXPECT_EQ(text.find("hidden"), std::string::npos);
}

}  // namespace
}  // namespace kilat::config
