// Orders of durable events: they rise over channels and restarts, and tell which events of a history somebody has seen.
#include <gtest/gtest.h>

#include <vector>

#include "hub/history.h"

namespace kilat::hub {
namespace {

PublicationPtr event(uint64_t order) {
  PublicationPtr publication = Publication::make({.channel = "c", .event = "e", .data = "1"});
  publication.order_as(order);
  return publication;
}

/// Offsets from 1 on, with these orders.
History filled(const std::vector<uint64_t>& orders, const HistoryLimits& limits = {}) {
  History history(7);
  for (const uint64_t order : orders) history.push(event(order), 1'000, 1'000, limits);
  return history;
}

/// The first offset that is missed by somebody who knows up to `offset` and all with an order of at most `seen`; 0:
/// nothing is missed; -1: that can't be said.
int64_t first_missed(const History& history, uint64_t offset, uint64_t seen) {
  const HistoryAnswer answer = history.answer({.recover = true, .since = {7, offset}, .seen = seen}, 2'000, 1 << 20);
  if (answer.refused != Reason::kNone) return -1;
  return answer.missed.empty() ? 0 : static_cast<int64_t>(answer.missed.front()->number());
}

TEST(HistoryOrder, WhatHasALowerOrder_IsNotMissed) {
  const History history = filled({10, 20, 30, 40});
  EXPECT_EQ(first_missed(history, 0, 0), 1);
  EXPECT_EQ(first_missed(history, 0, 9), 1);
  EXPECT_EQ(first_missed(history, 0, 10), 2);
  EXPECT_EQ(first_missed(history, 0, 29), 3);
  EXPECT_EQ(first_missed(history, 0, 30), 4);
  EXPECT_EQ(first_missed(history, 0, 1'000), 0);
}

TEST(HistoryOrder, WhatIsKnownByItsOffset_CountsAsWell) {
  const History history = filled({10, 20, 30, 40});
  EXPECT_EQ(first_missed(history, 3, 10), 4);
  EXPECT_EQ(first_missed(history, 1, 30), 4);
  EXPECT_EQ(first_missed(history, 5, 10), -1) << "an offset that was never given";
}

TEST(HistoryOrder, EventsThatAreGone_AreNotMissedWhenTheLastOfThemWasSeen) {
  const History history = filled({10, 20, 30, 40}, {.size = 2});
  EXPECT_EQ(first_missed(history, 0, 19), -1);
  EXPECT_EQ(first_missed(history, 0, 20), 3);
  EXPECT_EQ(first_missed(history, 0, 30), 4);
  EXPECT_EQ(first_missed(history, 2, 0), 3);
}

TEST(HistoryOrder, OfAnEmptyHistory_TheOrderOfTheLastEventDecides) {
  History history = filled({10, 20});
  history.clear();
  EXPECT_EQ(first_missed(history, 0, 19), -1);
  EXPECT_EQ(first_missed(history, 0, 20), 0);
  History restored(7);
  restored.skip_to(9, 20);
  EXPECT_EQ(first_missed(restored, 3, 20), 0);
  EXPECT_EQ(first_missed(restored, 3, 19), -1);
  EXPECT_EQ(first_missed(restored, 9, 0), 0);
}

TEST(HistoryOrder, AnEventWithoutAnOrder_MayBeNewerThanWhatWasSeen) {
  const History history = filled({10, 0, 0, 40});
  EXPECT_EQ(first_missed(history, 0, 30), 2);
  EXPECT_EQ(first_missed(history, 0, 40), 0);
  History unknown(7);
  unknown.skip_to(9, 0);
  EXPECT_EQ(first_missed(unknown, 3, 1'000), -1);
}

}  // namespace
}  // namespace kilat::hub
