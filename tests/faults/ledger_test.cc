// The judge of shard_fuzz must itself be able to find fault.
#include <gtest/gtest.h>

#include "fake_net/delivery_ledger.h"
#include "faults/scenario.h"

namespace kilat::faults {
namespace {

using fake_net::DeliveryLedger;

const fake_net::Room kRoom{"3", "c"};

std::string message(uint64_t number, std::string_view channel = "c") {
  return R"({"event":"e","channel":")" + std::string(channel) + R"(","data":")" + DeliveryLedger::data_of(number) +
         R"("})";
}

class Ledger : public ::testing::Test {
 protected:
  Ledger() {
    ledger.subscribe(reader, "c");
    first = ledger.publish(kRoom, 1);
    second = ledger.publish(kRoom, 1);
  }
  DeliveryLedger ledger;
  DeliveryLedger::ReaderId reader = ledger.add_reader("3");
  DeliveryLedger::ReaderId other = ledger.add_reader("3");
  uint64_t first = 0;
  uint64_t second = 0;
};

TEST_F(Ledger, EventsInOrder_AreHeard) {
  ledger.heard(reader, message(first));
  ledger.heard(reader, message(second));
  ledger.compare_orders();
  EXPECT_EQ(ledger.heard_count(), 2u);
}

TEST_F(Ledger, ChannelNotJoined_Aborts) {
  EXPECT_DEATH(ledger.heard(other, message(first)), "never joined");
}

TEST_F(Ledger, EventOfAnotherChannel_Aborts) {
  ledger.subscribe(reader, "d");
  EXPECT_DEATH(ledger.heard(reader, message(first, "d")), "another channel");
}

TEST_F(Ledger, EventTwice_Aborts) {
  ledger.heard(reader, message(first));
  EXPECT_DEATH(ledger.heard(reader, message(first)), "twice");
}

TEST_F(Ledger, EventsOfOnePublisherOutOfOrder_Aborts) {
  ledger.heard(reader, message(second));
  EXPECT_DEATH(ledger.heard(reader, message(first)), "out of order");
}

TEST_F(Ledger, EventAfterTheUnsubscribe_Aborts) {
  ledger.unsubscribe(reader, "c");
  ledger.settled();
  const uint64_t late = ledger.publish(kRoom, 1);
  EXPECT_DEATH(ledger.heard(reader, message(late)), "outside of the subscription");
}

TEST_F(Ledger, EventFromBeforeTheSubscribe_Aborts) {
  ledger.settled();
  ledger.subscribe(other, "c");
  EXPECT_DEATH(ledger.heard(other, message(first)), "outside of the subscription");
}

TEST_F(Ledger, ExcludedReader_Aborts) {
  const uint64_t spared = ledger.publish(kRoom, 2, reader);
  EXPECT_DEATH(ledger.heard(reader, message(spared)), "its own");
}

TEST_F(Ledger, TwoOrders_Abort) {
  ledger.subscribe(other, "c");
  const uint64_t foreign = ledger.publish(kRoom, 2);
  ledger.heard(reader, message(second));
  ledger.heard(reader, message(foreign));
  ledger.heard(other, message(foreign));
  ledger.heard(other, message(second));
  EXPECT_DEATH(ledger.compare_orders(), "two orders");
}

TEST(World, ClientThatStays_IsLeftOver) {
  World world(fake_net::world_settings(1));
  Client client = connected(world, 0);
  client.subscribe("c");
  world.settle();
  EXPECT_EQ(world.leftovers(), "1 connections on shard 0");
}

}  // namespace
}  // namespace kilat::faults
