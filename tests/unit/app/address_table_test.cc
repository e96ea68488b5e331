#include "app/address_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "app/admission.h"

namespace kilat::app {
namespace {

using Verdict = AddressTable::Verdict;

constexpr uint64_t kNowMs = 5'000'000;
constexpr AddressLimits kThree{.connections_max = 3, .connects_per_second = 0};
constexpr AddressLimits kTwoASecond{.connections_max = 0, .connects_per_second = 2};

IpAddress ip(std::string_view text) {
  return *IpAddress::parse(text);
}

IpAddress numbered(uint32_t number) {
  return IpAddress::v4(
      {10, static_cast<uint8_t>(number >> 16), static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number)});
}

TEST(AddressTable, ConnectionsOverTheLimit_AreRefusedUntilOneEnds) {
  AddressTable table;
  const IpAddress one = ip("192.0.2.1");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(table.take(one, kThree, kNowMs), Verdict::kCounted);
  EXPECT_EQ(table.take(one, kThree, kNowMs), Verdict::kTooMany);
  EXPECT_EQ(table.take(ip("192.0.2.2"), kThree, kNowMs), Verdict::kCounted) << "another address";
  table.give(one);
  EXPECT_EQ(table.take(one, kThree, kNowMs), Verdict::kCounted);
  EXPECT_EQ(table.take(one, kThree, kNowMs), Verdict::kTooMany);
}

TEST(AddressTable, NewConnections_HaveARateWithABurst) {
  AddressTable table;
  const IpAddress one = ip("192.0.2.1");
  const auto take_all = [&](uint64_t now_ms) {
    int count = 0;
    while (table.take(one, kTwoASecond, now_ms) == Verdict::kCounted) ++count;
    EXPECT_EQ(table.take(one, kTwoASecond, now_ms), Verdict::kTooFast);
    return count;
  };
  EXPECT_EQ(take_all(kNowMs), 20);
  EXPECT_EQ(take_all(kNowMs + 1'500), 3);
  EXPECT_EQ(take_all(kNowMs + 600'000), 20) << "no more than the burst, however long it waited";
}

TEST(AddressTable, EndedConnections_AreRememberedByTheRate) {
  AddressTable table;
  const IpAddress one = ip("192.0.2.1");
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(table.take(one, kTwoASecond, kNowMs), Verdict::kCounted);
    table.give(one);
  }
  // Others come, and their coming sweeps; the one that still owes stays.
  for (uint32_t i = 0; i < 10'000; ++i) {
    EXPECT_EQ(table.take(numbered(i), kTwoASecond, kNowMs), Verdict::kCounted);
  }
  EXPECT_EQ(table.take(one, kTwoASecond, kNowMs), Verdict::kTooFast);
}

TEST(AddressTable, IdleAddresses_GoAsNewOnesCome) {
  AddressTable table;
  for (uint32_t i = 0; i < 200'000; ++i) {
    ASSERT_EQ(table.take(numbered(i), kThree, kNowMs + i), Verdict::kCounted);
    table.give(numbered(i));
  }
  EXPECT_LT(table.size(), 5'000u);
}

TEST(AddressTable, FullTable_LeavesNewAddressesUncountedAndKeepsTheOthers) {
  AddressTable table;
  uint32_t uncounted = 0;
  for (uint32_t i = 0; i < AddressTable::kAddressesMax + 20'000; ++i) {
    if (table.take(numbered(i), {.connections_max = 1}, kNowMs) == Verdict::kUncounted) ++uncounted;
  }
  EXPECT_GE(uncounted, 20'000u);
  EXPECT_LE(table.size(), AddressTable::kAddressesMax);
  EXPECT_EQ(table.take(numbered(0), {.connections_max = 1}, kNowMs), Verdict::kTooMany);
}

TEST(AddressTable, Ipv6_IsCountedByTheNetworkOfOneClient) {
  const IpAddress one = AddressTable::key_of(ip("2001:db8:1:2:3:4:5:6"));
  EXPECT_EQ(one, ip("2001:db8:1:2::"));
  EXPECT_EQ(one, AddressTable::key_of(ip("2001:db8:1:2:ffff::1")));
  EXPECT_FALSE(one == AddressTable::key_of(ip("2001:db8:1:3:3:4:5:6")));
  EXPECT_EQ(AddressTable::key_of(ip("192.0.2.1")), ip("192.0.2.1"));
  EXPECT_EQ(AddressTable::key_of(ip("::ffff:192.0.2.1")), ip("192.0.2.1"));
}

TEST(AddressTable, ManyThreads_NeverPassTheLimitAndLoseNoCount) {
  AddressTable table;
  const IpAddress one = ip("192.0.2.1");
  std::atomic<int> held{0};
  std::atomic<bool> passed{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5'000; ++i) {
        if (table.take(one, kThree, kNowMs) != Verdict::kCounted) continue;
        if (held.fetch_add(1) + 1 > 3) passed = true;
        held.fetch_sub(1);
        table.give(one);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(passed);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(table.take(one, kThree, kNowMs), Verdict::kCounted);
  EXPECT_EQ(table.take(one, kThree, kNowMs), Verdict::kTooMany);
}

TEST(Lease, GivesBackWhatItCountedWhenItEnds) {
  Admission admission;
  const AddressLimits limits{.connections_max = 1};
  {
    Lease first(admission);
    EXPECT_EQ(first.take_http(1), Reason::kNone);
    EXPECT_EQ(first.take_address(ip("192.0.2.1"), limits, kNowMs), Reason::kNone);
    Lease moved(std::move(first));
    Lease second(admission);
    EXPECT_EQ(second.take_http(1), Reason::kHttpOverCapacity);
    EXPECT_EQ(second.take_address(ip("192.0.2.1"), limits, kNowMs), Reason::kAddressOverQuota);
    EXPECT_EQ(admission.http_connections(), 1u);
    moved.give_http();
    moved.give_http();
    EXPECT_EQ(admission.http_connections(), 0u);
  }
  Lease third(admission);
  EXPECT_EQ(third.take_address(ip("192.0.2.1"), limits, kNowMs), Reason::kNone);
  EXPECT_EQ(admission.http_connections(), 0u);
}

TEST(Lease, CountsOneConnectionOnce) {
  Admission admission;
  Lease lease(admission);
  const AddressLimits limits{.connections_max = 1};
  EXPECT_EQ(lease.take_address(ip("192.0.2.1"), limits, kNowMs), Reason::kNone);
  EXPECT_EQ(lease.take_address(ip("192.0.2.2"), limits, kNowMs), Reason::kNone);
  Lease other(admission);
  EXPECT_EQ(other.take_address(ip("192.0.2.2"), limits, kNowMs), Reason::kNone);
  Lease third(admission);
  EXPECT_EQ(third.take_address(ip("192.0.2.1"), limits, kNowMs), Reason::kAddressOverQuota);
}

TEST(Lease, LoopbackAndUnknownAddresses_AreNotCounted) {
  Admission admission;
  const AddressLimits limits{.connections_max = 1, .connects_per_second = 1};
  std::vector<Lease> leases;
  for (const IpAddress& address : {ip("127.0.0.1"), ip("127.3.2.1"), ip("::1"), ip("::ffff:127.0.0.1"), IpAddress()}) {
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(leases.emplace_back(admission).take_address(address, limits, kNowMs), Reason::kNone);
    }
  }
  EXPECT_EQ(admission.tracked_addresses(), 0u);
}

TEST(Lease, WithoutLimits_CountsNothing) {
  Admission admission;
  Lease lease(admission);
  EXPECT_EQ(lease.take_address(ip("192.0.2.1"), {}, kNowMs), Reason::kNone);
  EXPECT_EQ(admission.tracked_addresses(), 0u);
}

}  // namespace
}  // namespace kilat::app
