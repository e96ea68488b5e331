#include "cli/proc_stats.h"

#include <gtest/gtest.h>

#include "cli/port_probe.h"

namespace kilat::cli {
namespace {

TEST(ProcStats, Cpu_CountsWaitingForDisksAsIdle) {
  const CpuTimes times = parse_cpu("cpu  100 10 50 800 40 1 2 3 7 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n");
  EXPECT_EQ(times.total, 1006U);
  EXPECT_EQ(times.busy, 166U);
}

TEST(ProcStats, Memory_IsWhatIsNotAvailable) {
  EXPECT_DOUBLE_EQ(parse_memory_percent("MemTotal:        8000 kB\nMemFree:   100 kB\nMemAvailable:    2000 kB\n"),
                   75.0);
  EXPECT_DOUBLE_EQ(parse_memory_percent("nonsense"), 0.0);
}

TEST(ProcStats, LoadAndUptime_AreTheFirstNumbers) {
  EXPECT_DOUBLE_EQ(parse_load1("0.42 0.30 0.20 1/300 4242\n"), 0.42);
  EXPECT_DOUBLE_EQ(parse_uptime("12345.67 54321.00\n"), 12345.67);
}

TEST(ProcStats, Network_AddsInterfacesWithoutLoopback) {
  const ByteCounts bytes = parse_network(
      "Inter-|   Receive                                                |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls "
      "carrier\n"
      "    lo: 9999 1 0 0 0 0 0 0 9999 1 0 0 0 0 0 0\n"
      "  eth0: 1000 2 0 0 0 0 0 0 300 4 0 0 0 0 0 0\n"
      " wlan0:500 2 0 0 0 0 0 0 50 4 0 0 0 0 0 0\n");
  EXPECT_EQ(bytes.in, 1500U);
  EXPECT_EQ(bytes.out, 350U);
}

TEST(ProcStats, Disks_CountWholeDisksOnce) {
  const ByteCounts bytes = parse_disks(
      "   8       0 sda 10 0 100 5 20 0 200 7 0 0 0\n"
      "   8       1 sda1 10 0 100 5 20 0 200 7 0 0 0\n"
      " 259       0 nvme0n1 1 0 10 1 1 0 20 1 0 0 0\n"
      " 259       1 nvme0n1p1 1 0 10 1 1 0 20 1 0 0 0\n"
      " 253       0 dm-0 1 0 10 1 1 0 20 1 0 0 0\n"
      "   7       0 loop0 1 0 10 1 1 0 20 1 0 0 0\n");
  EXPECT_EQ(bytes.in, 110U * 512);
  EXPECT_EQ(bytes.out, 220U * 512);
}

TEST(ProcStats, CutOrEmptyTexts_GiveZeroes) {
  EXPECT_EQ(parse_cpu("").total, 0U);
  EXPECT_EQ(parse_cpu("cpu").total, 0U);
  EXPECT_EQ(parse_network("eth0:").in, 0U);
  EXPECT_EQ(parse_disks("8 0 sda 1").in, 0U);
  EXPECT_EQ(parse_disks("8").in, 0U);
}

TEST(ProcStats, ThisMachine_HasCpuTimeAndUptime) {
  const HostSample sample = sample_host();
  EXPECT_GT(sample.cpu.total, 0U);
  EXPECT_GT(sample.uptime_s, 0.0);
}

TEST(PortProbe, ListeningInode_IsThatOfTheListener) {
  constexpr const char* kTable =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
      "   0: 0100007F:1771 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 111 1 0\n"
      "   1: 0100007F:1771 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 222 1 0\n";
  EXPECT_EQ(listening_inode(kTable, 6001), 222U);
  EXPECT_EQ(listening_inode(kTable, 6002), 0U);
  EXPECT_EQ(listening_inode("", 6001), 0U);
}

}  // namespace
}  // namespace kilat::cli
