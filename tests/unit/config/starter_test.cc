#include "config/starter.h"

#include <gtest/gtest.h>

#include <sstream>

#include "config/toml_reader.h"

namespace kilat::config {
namespace {

std::string problems(const std::string& text) {
  Document document = read_toml(text, "kilat.toml");
  validate(document);
  return render(document.diagnostics);
}

TEST(Starter, File_IsValidAndHasFreshCredentials) {
  const std::string text = starter_file({});
  EXPECT_EQ(problems(text), "");
  const Document first = read_toml(text, "a");
  const Document second = read_toml(starter_file({}), "b");
  EXPECT_EQ(first.settings.apps.at(0).secret.size(), 35U);
  EXPECT_NE(first.settings.apps.at(0).secret, second.settings.apps.at(0).secret);
  EXPECT_NE(first.settings.apps.at(0).key, second.settings.apps.at(0).key);
  EXPECT_EQ(first.settings.server.host, "127.0.0.1");
}

TEST(Starter, CommentedSettings_AreValidOnceUncommented) {
  std::istringstream lines(starter_file({}));
  std::string text;
  int uncommented = 0;
  for (std::string line; std::getline(lines, line);) {
    const bool setting = line.starts_with("# ") && line.find(" = ") != std::string::npos;
    uncommented += setting ? 1 : 0;
    text += (setting ? line.substr(2) : line) + "\n";
  }
  EXPECT_GE(uncommented, 4);
  EXPECT_EQ(problems(text), "");
}

TEST(Starter, Options_AreWrittenAsTomlTexts) {
  const Document document = read_toml(starter_file({"0.0.0.0:7001", "my-shop"}), "kilat.toml");
  EXPECT_EQ(document.settings.server.port, 7001);
  EXPECT_EQ(document.settings.apps.at(0).id, "my-shop");
}

}  // namespace
}  // namespace kilat::config
