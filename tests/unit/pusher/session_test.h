// The fixture of the conversations: the same words are spoken on one shard and on two.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/pusher/world.h"

namespace kilat::pusher::testing {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct SessionTest : ::testing::TestWithParam<hub::ShardIndex> {
  hub::ShardIndex shards() const { return GetParam(); }

  static void expect_closed(Client& client, Reason reason) {
    EXPECT_THAT(client.read(), ElementsAreArray(goodbye(reason)));
    expect_finished(client, reason);
  }
  static void expect_finished(Client& client, Reason reason) {
    ASSERT_TRUE(client.finished());
    EXPECT_EQ(reason_row(*client.finished()).id, reason_row(reason).id);
    EXPECT_TRUE(client.session().closing());
    EXPECT_EQ(client.session().subscription_count(), 0U);
  }
};

}  // namespace kilat::pusher::testing

/// Instantiates a SessionTest for one and two shards.
#define KILAT_SESSION_TEST(suite)                                    \
  INSTANTIATE_TEST_SUITE_P(Shards, suite, ::testing::Values(1u, 2u), \
                           [](const auto& shards) { return std::to_string(shards.param); })
