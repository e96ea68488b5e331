#include "app/health.h"

#include <gtest/gtest.h>

#include <string>

namespace kilat::app {
namespace {

class HealthTest : public ::testing::Test {
 protected:
  std::vector<std::string> causes() const {
    std::vector<std::string> out;
    for (const Cause& cause : health.not_ready()) out.emplace_back(cause.id);
    return out;
  }
  Health health{2};
};

using Causes = std::vector<std::string>;

TEST_F(HealthTest, NothingWrong_EveryPathAnswers200) {
  for (const char* path : {"/", "/ready", "/accept-traffic", "/up", "/health/live", "/health/ready"}) {
    ASSERT_TRUE(is_health_path(path));
    EXPECT_EQ(health_answer(path, health).status, 200) << path;
  }
  EXPECT_EQ(health_answer("/", health).body, "OK");
  EXPECT_EQ(health_answer("/up", health).body, R"({"health":"OK"})");
  EXPECT_EQ(health_answer("/health/ready", health).body, R"({"status":"ready"})");
}

TEST_F(HealthTest, Draining_IsNotReadyButLives) {
  health.start_draining();
  const http::Response ready = health_answer("/health/ready", health);
  EXPECT_EQ(ready.status, 503);
  EXPECT_NE(ready.body.find(R"("cause":"draining")"), std::string::npos) << ready.body;
  EXPECT_EQ(health_answer("/ready", health).status, 503);
  EXPECT_EQ(health_answer("/accept-traffic", health).status, 503);
  EXPECT_EQ(health_answer("/health/live", health).status, 200);
  EXPECT_EQ(health_answer("/up", health).status, 200);
  EXPECT_EQ(health_answer("/", health).status, 200);
}

TEST_F(HealthTest, SilentShard_IsNotReadyFirstAndNotLiveMuchLater) {
  health.pulse(1).missed = Health::kLateBeats;
  EXPECT_EQ(causes(), Causes{});
  health.pulse(1).missed = Health::kLateBeats + 1;
  EXPECT_EQ(causes(), Causes{"shard_late"});
  health.pulse(1).missed = Health::kStuckBeats;
  EXPECT_EQ(health_answer("/health/live", health).status, 200);
  health.pulse(1).missed = Health::kStuckBeats + 1;
  EXPECT_EQ(health_answer("/health/live", health).status, 503);
  health.pulse(1).missed = 0;
  EXPECT_EQ(causes(), Causes{});
}

TEST_F(HealthTest, OutboxesNearTheBudget_AreACause) {
  health.set_limits({.outbox_budget_bytes = 1'000'000, .connections_max = 0, .memory_percent_max = 0});
  health.pulse(1).outbox_bytes = 900'000;
  EXPECT_EQ(causes(), Causes{});
  health.pulse(1).outbox_bytes = 900'001;
  EXPECT_EQ(causes(), Causes{"over_budget"});
}

TEST_F(HealthTest, FullServerAndPausedAccepting_AreCauses) {
  health.set_limits({.outbox_budget_bytes = 0, .connections_max = 10, .memory_percent_max = 0});
  health.set_connections(9);
  EXPECT_EQ(causes(), Causes{});
  health.set_connections(10);
  health.pulse(0).accepting = false;
  EXPECT_EQ(causes(), (Causes{"no_open_files", "full"}));
}

TEST_F(HealthTest, MemoryAboveTheThreshold_StopsTraffic) {
  health.set_limits({.outbox_budget_bytes = 0, .connections_max = 0, .memory_percent_max = 85});
  health.set_memory(850, 1'000);
  EXPECT_EQ(health_answer("/accept-traffic", health).status, 200);
  health.set_memory(851, 1'000);
  EXPECT_EQ(health_answer("/accept-traffic", health).status, 503);
  EXPECT_EQ(causes(), Causes{"memory"});
  health.set_limits({.outbox_budget_bytes = 0, .connections_max = 0, .memory_percent_max = 0});
  EXPECT_EQ(causes(), Causes{});
}

TEST_F(HealthTest, Usage_HasSoketisMembers) {
  health.set_memory(250, 1'000);
  EXPECT_EQ(usage_answer(health).body, R"({"memory":{"free":750,"used":250,"total":1000,"percent":25.000000}})");
}

TEST(HealthPath, OtherPaths_AreNot) {
  EXPECT_FALSE(is_health_path("/health"));
  EXPECT_FALSE(is_health_path("/metrics"));
  EXPECT_FALSE(is_health_path("/usage"));
}

}  // namespace
}  // namespace kilat::app
