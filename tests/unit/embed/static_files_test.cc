#include "embed/static_files.h"

#include <gtest/gtest.h>

namespace kilat::embed {
namespace {

TEST(ContentType, Suffix_IsComparedWithoutCase) {
  EXPECT_EQ(content_type_of("/a/b.HTML"), "text/html; charset=utf-8");
  EXPECT_EQ(content_type_of("x.min.js"), "text/javascript; charset=utf-8");
  EXPECT_EQ(content_type_of("README"), "application/octet-stream");
  EXPECT_EQ(content_type_of("x.unknown"), "application/octet-stream");
}

}  // namespace
}  // namespace kilat::embed
