#include "console/assets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "console/asset_table.h"

namespace kilat::console {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(Assets, UnknownPath_IsNull) {
  EXPECT_EQ(find_asset(""), nullptr);
  EXPECT_EQ(find_asset("/"), nullptr);
  EXPECT_EQ(find_asset("/live"), nullptr);
  EXPECT_EQ(find_asset("/live/../live/"), nullptr);
  EXPECT_EQ(find_asset("/live/live.js/"), nullptr);
}

#if KILAT_WEB

TEST(Assets, LivePage_IsFoundUnderItsFolderAndItsName) {
  const Asset* page = find_asset("/live/");
  ASSERT_NE(page, nullptr);
  EXPECT_EQ(page, find_asset("/live/index.html"));
  EXPECT_EQ(page->content_type, "text/html; charset=utf-8");
  EXPECT_THAT(std::string(page->body), StartsWith("<!doctype html>"));
}

TEST(Assets, FilesThePageNames_AreAllCarried) {
  for (const char* path : {"/live/live.js", "/live/live.css", "/live/icon.svg", "/live/licenses.txt"}) {
    const Asset* asset = find_asset(path);
    ASSERT_NE(asset, nullptr) << path;
    EXPECT_FALSE(asset->body.empty()) << path;
  }
  EXPECT_EQ(find_asset("/live/live.js")->content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(find_asset("/live/live.css")->content_type, "text/css; charset=utf-8");
}

TEST(Assets, Page_LoadsNothingFromOutsideAndNothingInline) {
  const std::string page(find_asset("/live/")->body);
  EXPECT_THAT(page, AllOf(Not(HasSubstr("src=\"http")), Not(HasSubstr("href=\"http")), Not(HasSubstr("style=\"")),
                          Not(HasSubstr("<style")), Not(HasSubstr("<script>"))));
  EXPECT_THAT(std::string(find_asset("/live/live.css")->body),
              AllOf(Not(HasSubstr("url(")), Not(HasSubstr("@import"))));
}

TEST(Assets, EveryEtag_IsQuotedAndItsOwn) {
  std::set<std::string_view> seen;
  for (const Asset& asset : asset_table()) {
    ASSERT_GT(asset.etag.size(), 2u) << asset.path;
    EXPECT_EQ(asset.etag.front(), '"') << asset.path;
    EXPECT_EQ(asset.etag.back(), '"') << asset.path;
    EXPECT_TRUE(seen.insert(asset.etag).second) << asset.path;
  }
}

TEST(Assets, Bodies_CarryBytesBeyondAsciiUnharmed) {
  // U+2026 stands in the page's first words for the state.
  EXPECT_THAT(std::string(find_asset("/live/")->body), HasSubstr("Connecting\xE2\x80\xA6"));
  EXPECT_THAT(std::string(find_asset("/live/")->body), HasSubstr("</html>"));
}

#else

TEST(Assets, BuiltWithoutThePage_HaveAnEmptyTable) {
  EXPECT_TRUE(asset_table().empty());
  EXPECT_EQ(find_asset("/live/"), nullptr);
}

#endif

}  // namespace
}  // namespace kilat::console
