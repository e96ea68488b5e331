// The fixture of the conversations: the same words are spoken on one shard and on two.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "unit/socketio/poller.h"

namespace kilat::socketio::testing {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

/// The text of a member of a JSON object; empty where it is not there.
inline std::string member(std::string_view text, std::string_view key) {
  const size_t at = text.find("\"" + std::string(key) + "\":\"");
  if (at == std::string_view::npos) return {};
  const size_t begin = at + key.size() + 4;
  return std::string(text.substr(begin, text.find('"', begin) - begin));
}

struct SocketIoTest : ::testing::TestWithParam<hub::ShardIndex> {
  hub::ShardIndex shards() const { return GetParam(); }

  /// Over a WebSocket the client only hears that it is over; the row says why.
  static void expect_closed(Client& client, Reason reason) {
    EXPECT_THAT(client.read(), ElementsAre("<close 1005>"));
    expect_finished(client, reason);
  }
  static void expect_finished(Client& client, Reason reason) {
    ASSERT_TRUE(client.finished());
    EXPECT_EQ(reason_row(*client.finished()).id, reason_row(reason).id);
    EXPECT_TRUE(client.link().closing());
  }
  static void expect_open(Client& client) {
    EXPECT_THAT(client.read(), IsEmpty());
    EXPECT_FALSE(client.finished());
  }
  /// The session is gone, as its next request hears.
  static void expect_gone(Poller& poller) {
    EXPECT_EQ(poller.get(), R"(<400 {"code":1,"message":"Session ID unknown"}>)");
  }
};

}  // namespace kilat::socketio::testing

/// Instantiates a SocketIoTest for one and two shards.
#define KILAT_SOCKETIO_TEST(suite)                                   \
  INSTANTIATE_TEST_SUITE_P(Shards, suite, ::testing::Values(1u, 2u), \
                           [](const auto& shards) { return std::to_string(shards.param); })
