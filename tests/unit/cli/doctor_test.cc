#include "cli/doctor.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace kilat::cli {
namespace {

DoctorFacts healthy() {
  return {.open_files_max = 1'048'576,
          .max_connections = 20'000,
          .somaxconn = 4'096,
          .port_range_begin = 32'768,
          .port_range_end = 60'999,
          .port = 6001,
          .unix_s = 1'800'000'000,
          .clock_synchronised = true,
          .entropy_ready = true,
          .memory_bytes = 8ull << 30,
          .budget_bytes = 512ull << 20,
          .shards = 4,
          .tls = true,
          .tls_error = {},
          .tls_expires_s = 1'800'000'000 + 90 * 86'400};
}

Check find(const DoctorFacts& facts, std::string_view name) {
  const std::vector<Check> checks = examine(facts);
  const auto found = std::ranges::find(checks, name, &Check::name);
  EXPECT_NE(found, checks.end()) << name;
  return found == checks.end() ? Check{} : *found;
}

TEST(Doctor, HealthyMachine_EveryCheckIsOkAndNeedsNoFix) {
  for (const Check& check : examine(healthy())) {
    EXPECT_EQ(check.verdict, Verdict::kOk) << check.name << ": " << check.text;
    EXPECT_TRUE(check.fix.empty()) << check.name;
  }
}

TEST(Doctor, TooFewOpenFiles_FailsWithTheNumberNeeded) {
  DoctorFacts facts = healthy();
  facts.open_files_max = 20'099;
  const Check check = find(facts, "open files");
  EXPECT_EQ(check.verdict, Verdict::kFail);
  EXPECT_NE(check.fix.find("20100"), std::string::npos);
  facts.max_connections = 0;
  EXPECT_EQ(find(facts, "open files").verdict, Verdict::kWarn);
}

TEST(Doctor, ShortBacklogAndPortInTheRange_AreWarnings) {
  DoctorFacts facts = healthy();
  facts.somaxconn = 128;
  facts.port = 40'000;
  EXPECT_EQ(find(facts, "net.core.somaxconn").fix, "sysctl -w net.core.somaxconn=4096");
  EXPECT_EQ(find(facts, "port range").verdict, Verdict::kWarn);
  facts.somaxconn = 0;
  EXPECT_EQ(find(facts, "net.core.somaxconn").verdict, Verdict::kWarn);
}

TEST(Doctor, Clock_FailsWhenItWasNeverSet) {
  DoctorFacts facts = healthy();
  facts.clock_synchronised = false;
  EXPECT_EQ(find(facts, "clock").verdict, Verdict::kWarn);
  facts.unix_s = 1'000;
  EXPECT_EQ(find(facts, "clock").verdict, Verdict::kFail);
}

TEST(Doctor, BudgetAboveTheMemory_NamesABetterOne) {
  DoctorFacts facts = healthy();
  facts.memory_bytes = 1ull << 30;
  const Check check = find(facts, "memory");
  EXPECT_EQ(check.verdict, Verdict::kWarn);
  EXPECT_EQ(check.fix, "limits.shard_budget_bytes = \"128MiB\"");
}

TEST(Doctor, Certificates_WarnBeforeTheyExpireAndFailAfter) {
  DoctorFacts facts = healthy();
  facts.tls_expires_s = static_cast<int64_t>(facts.unix_s) + 3 * 86'400 + 5;
  EXPECT_EQ(find(facts, "certificates").verdict, Verdict::kWarn);
  EXPECT_EQ(find(facts, "certificates").text, "one expires in 3 days");
  facts.tls_expires_s = static_cast<int64_t>(facts.unix_s);
  EXPECT_EQ(find(facts, "certificates").verdict, Verdict::kFail);
  facts.tls_error = "cannot read server.pem";
  EXPECT_EQ(find(facts, "certificates").text, "cannot read server.pem");
}

TEST(Doctor, Render_PutsTheFixUnderTheVerdict) {
  EXPECT_EQ(render({Verdict::kWarn, "net.core.somaxconn", "128", "sysctl"}),
            "[warn] net.core.somaxconn  128\n                           fix: sysctl\n");
  EXPECT_EQ(checks_json({{Verdict::kOk, "a", "b", {}}}),
            "[{\"name\":\"a\",\"verdict\":\"ok\",\"text\":\"b\",\"fix\":\"\"}]\n");
}

}  // namespace
}  // namespace kilat::cli
