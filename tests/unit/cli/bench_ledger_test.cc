#include <gtest/gtest.h>

#include "cli/bench/ledger.h"

namespace kilat::cli::bench {
namespace {

TEST(BenchStream, Gap_ThatIsFilledLater_IsReorderingAndNoLoss) {
  Stream stream;
  EXPECT_EQ(stream.take(1), Arrival::kInOrder);
  EXPECT_EQ(stream.take(4), Arrival::kInOrder);
  EXPECT_EQ(stream.take(2), Arrival::kReordered);
  EXPECT_EQ(stream.take(3), Arrival::kReordered);
  EXPECT_EQ(stream.unique(), 4U);
}

TEST(BenchStream, SecondArrival_IsADuplicateWhereverItWas) {
  Stream stream;
  for (const uint32_t sequence : {1U, 2U, 5U}) stream.take(sequence);
  for (const uint32_t sequence : {5U, 1U, 2U}) EXPECT_EQ(stream.take(sequence), Arrival::kDuplicate);
  EXPECT_EQ(stream.take(3), Arrival::kReordered);
  EXPECT_EQ(stream.take(3), Arrival::kDuplicate);
  EXPECT_EQ(stream.unique(), 4U);
}

TEST(BenchStream, FirstNumbersLost_AreMissing) {
  Stream stream;
  EXPECT_EQ(stream.take(3), Arrival::kInOrder);
  EXPECT_EQ(stream.unique(), 1U);
}

TEST(BenchStream, DuplicateFarBack_IsKnownWhenNothingIsMissing) {
  Stream stream;
  for (uint32_t sequence = 1; sequence <= 1'000; ++sequence) stream.take(sequence);
  EXPECT_EQ(stream.take(1), Arrival::kDuplicate);
  EXPECT_EQ(stream.take(936), Arrival::kDuplicate);
  EXPECT_EQ(stream.unique(), 1'000U);
}

TEST(BenchStream, MissingNumberFarBack_CountsWhenItComes) {
  Stream stream;
  for (uint32_t sequence = 2; sequence <= 1'000; ++sequence) stream.take(sequence);
  EXPECT_EQ(stream.take(1), Arrival::kReordered);
  EXPECT_EQ(stream.take(1), Arrival::kDuplicate);
}

TEST(BenchStream, LeapOverMoreThanTheMemory_ForgetsNothingNear) {
  Stream stream;
  stream.take(1);
  stream.take(1'000);
  EXPECT_EQ(stream.take(1'000), Arrival::kDuplicate);
  EXPECT_EQ(stream.take(999), Arrival::kReordered);
  EXPECT_EQ(stream.take(937), Arrival::kReordered);
  EXPECT_EQ(stream.take(937), Arrival::kDuplicate);
}

// Four connections on two channels; connections 0 and 1 publish, each on its own channel.
LedgerShape client_events() {
  return {4, 2, 2, true};
}

// Three connections on one channel, two HTTP publishers.
LedgerShape http() {
  return {3, 1, 2, false};
}

Ledger ready(const LedgerShape& shape) {
  Ledger ledger(shape);
  ledger.measure(100, 200);
  for (uint32_t i = 0; i < shape.connections; ++i) ledger.joined(i);
  return ledger;
}

TEST(BenchLedger, ClientEvent_IsOwedToTheOtherReadersOfTheChannel) {
  Ledger ledger = ready(client_events());
  EXPECT_EQ(ledger.fan_out(0), 1U);
  EXPECT_EQ(ledger.publish(0, 0, 100), 1U);
  EXPECT_EQ(ledger.owed(), 1U);
  ledger.arrived(2, {0, 0, 1, 100}, 150);
  EXPECT_EQ(ledger.owed(), 0U);
  const Totals totals = ledger.totals();
  EXPECT_EQ(totals.expected, 1U);
  EXPECT_EQ(totals.received, 1U);
  EXPECT_EQ(totals.lost, 0U);
  EXPECT_EQ(ledger.latency_ns().max(), 50U);
}

TEST(BenchLedger, MessageInTheWrongPlace_IsUnexpected) {
  Ledger ledger = ready(client_events());
  ledger.publish(0, 0, 100);
  ledger.arrived(0, {0, 0, 1, 100}, 150);  // the sender itself
  ledger.arrived(1, {0, 0, 1, 100}, 150);  // reads another channel
  ledger.arrived(3, {0, 1, 1, 100}, 150);  // the publisher is on another channel
  ledger.arrived(2, {9, 0, 1, 100}, 150);  // no such publisher
  ledger.arrived(2, {0, 0, 2, 100}, 150);  // not published yet
  ledger.arrived(2, {0, 0, 0, 100}, 150);
  EXPECT_EQ(ledger.totals().unexpected, 6U);
  EXPECT_EQ(ledger.totals().received, 0U);
}

TEST(BenchLedger, LossDuplicateAndReordering_AreCountedForEachPublisher) {
  Ledger ledger = ready(http());
  for (int i = 0; i < 3; ++i) ledger.publish(0, 0, 100);
  ledger.publish(1, 0, 100);
  EXPECT_EQ(ledger.owed(), 12U);
  for (const uint32_t sequence : {1U, 3U, 2U, 2U}) ledger.arrived(0, {0, 0, sequence, 100}, 150);
  ledger.arrived(0, {1, 0, 1, 100}, 150);
  for (const uint32_t sequence : {1U, 2U, 3U}) ledger.arrived(1, {0, 0, sequence, 100}, 150);
  const Totals totals = ledger.totals();
  EXPECT_EQ(totals.expected, 12U);
  EXPECT_EQ(totals.received, 7U);
  EXPECT_EQ(totals.lost, 5U);  // one of connection 1, four of connection 2
  EXPECT_EQ(totals.duplicates, 1U);
  EXPECT_EQ(totals.reordered, 1U);
  EXPECT_EQ(ledger.owed(), 5U);
}

TEST(BenchLedger, ConnectionThatGoes_IsOwedNothingButLoses) {
  Ledger ledger = ready(http());
  ledger.publish(0, 0, 100);
  ledger.arrived(0, {0, 0, 1, 100}, 150);
  ledger.gone(0);
  ledger.gone(1);
  EXPECT_EQ(ledger.owed(), 1U);
  EXPECT_EQ(ledger.fan_out(0), 1U);
  ledger.publish(0, 0, 110);
  ledger.arrived(2, {0, 0, 1, 100}, 150);
  ledger.arrived(2, {0, 0, 2, 110}, 150);
  EXPECT_EQ(ledger.owed(), 0U);
  EXPECT_EQ(ledger.totals().lost, 3U);
}

TEST(BenchLedger, ConnectionThatNeverCame_LosesNothing) {
  Ledger ledger(http());
  ledger.joined(0);
  ledger.publish(0, 0, 1);
  ledger.arrived(0, {0, 0, 1, 1}, 2);
  EXPECT_EQ(ledger.totals().expected, 1U);
  EXPECT_EQ(ledger.totals().lost, 0U);
}

TEST(BenchLedger, RefusedPublish_GivesItsNumberBack) {
  Ledger ledger = ready(http());
  EXPECT_EQ(ledger.publish(0, 0, 150), 1U);
  ledger.take_back(0, 0, 150);
  EXPECT_EQ(ledger.owed(), 0U);
  EXPECT_EQ(ledger.totals().sent, 0U);
  EXPECT_EQ(ledger.totals().sent_measured, 0U);
  EXPECT_EQ(ledger.publish(0, 0, 150), 1U);
  EXPECT_EQ(ledger.totals().expected, 3U);
}

TEST(BenchLedger, OutsideTheMeasuredTime_IsCheckedButNotMeasured) {
  Ledger ledger = ready(http());
  ledger.publish(0, 0, 99);
  ledger.publish(0, 0, 199);
  for (uint32_t connection = 0; connection < 3; ++connection) {
    ledger.arrived(connection, {0, 0, 1, 99}, 120);
    ledger.arrived(connection, {0, 0, 2, 199}, 260);  // late, but due in the measured time
  }
  const Totals totals = ledger.totals();
  EXPECT_EQ(totals.received, 6U);
  EXPECT_EQ(totals.received_measured, 3U);
  EXPECT_EQ(totals.sent_measured, 1U);
  EXPECT_EQ(ledger.latency_ns().count(), 3U);
  EXPECT_EQ(ledger.latency_ns().max(), 61U);
}

// What a stall of the sender would hide if latency counted from the time of sending.
TEST(BenchLedger, Latency_CountsFromTheDueTime) {
  Ledger ledger = ready({2, 1, 1, true});
  ledger.publish(0, 0, 190);
  ledger.arrived(1, {0, 0, 1, 110}, 195);
  EXPECT_EQ(ledger.latency_ns().max(), 85U);
}

}  // namespace
}  // namespace kilat::cli::bench
