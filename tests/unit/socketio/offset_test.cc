// Offsets and records: what is written is read again, and anything else is none of ours.
#include "socketio/offset.h"

#include <gtest/gtest.h>

#include <array>

#include "socketio/remembered.h"

namespace kilat::socketio {
namespace {

TEST(Offset, OfAProcessWithoutARegistry_IsANumber) {
  EXPECT_EQ(offset_text(0, {}, {}), "0");
  EXPECT_EQ(offset_text(35, {}, {}), "z");
  const std::array<uint64_t, 1> orders{7};
  EXPECT_EQ(offset_text(36, {}, orders), "10");
  const auto offset = parse_offset("10");
  ASSERT_TRUE(offset);
  EXPECT_EQ(offset->number, 36U);
  EXPECT_EQ(offset->run, 0U);
  EXPECT_EQ(offset->order_of(0, {}), 0U);
}

TEST(Offset, TellsHowFarEachHomeHasCome) {
  const ServerRun run{.id = 3, .first_order = 1'700'000'000'000'000};
  const std::array<uint64_t, 4> orders{run.first_order - 1, run.first_order + 9, 0, run.first_order - 11};
  const std::string text = offset_text(36, run, orders);
  EXPECT_EQ(text.substr(0, 9), "10.3.0.a.");
  const auto offset = parse_offset(text);
  ASSERT_TRUE(offset);
  EXPECT_EQ(offset->number, 36U);
  EXPECT_EQ(offset->run, 3U);
  for (size_t home = 0; home < orders.size(); ++home) EXPECT_EQ(offset->order_of(home, run), orders[home]);
  EXPECT_EQ(offset->order_of(4, run), 0U) << "there was no such home";
}

TEST(Offset, WhatAClientMakesUp_IsNoneOrDoesNoHarm) {
  for (const std::string_view text :
       {"", "-1", ".", "1.", "1..2", "1.2.", "1.2.3.", "1.2.x y", "Ä", "1.-2", "+1", " 1", "1,2",
        "99999999999999999999999999", "1.99999999999999999999999999", "1.2.99999999999999999999999999"}) {
    EXPECT_FALSE(parse_offset(text)) << text;
  }
  std::string many = "1.2";
  for (int i = 0; i < 64; ++i) many += ".3";
  EXPECT_TRUE(parse_offset(many));
  EXPECT_FALSE(parse_offset(many + ".3"));
  const ServerRun run{.id = 2, .first_order = 1'000};
  const auto offset = parse_offset("1.2.1y2p0ij32e8e7.-1y2p0ij32e8e7");
  ASSERT_TRUE(offset);
  EXPECT_EQ(offset->order_of(0, run), static_cast<uint64_t>(INT64_MAX));
  EXPECT_EQ(offset->order_of(1, run), 0U);
}

TEST(Remembered, IsReadAsItWasWritten) {
  const RememberedRoom durable{
      .channel = "jobs", .member = {}, .known = {0xffffffff, 1ull << 50}, .home = 63, .settled = 9};
  const RememberedRoom presence{
      .channel = "presence-x", .member = {"m", "{}"}, .by_rule = true, .by_signature = true, .positions = true};
  const Remembered written{.run = {7, 1'700'000'000'000'000},
                           .nsp = "/",
                           .app = "app \"1\"",
                           .user_id = "u",
                           .user_info = R"({"n":1})",
                           .by_token = true,
                           .rooms = {durable, presence}};
  const auto read = parse_record(to_record(written));
  ASSERT_TRUE(read);
  EXPECT_EQ(to_record(*read), to_record(written));
  EXPECT_EQ(read->run.id, 7U);
  EXPECT_TRUE(read->by_token);
  EXPECT_EQ(read->rooms[0].known, written.rooms[0].known);
  EXPECT_EQ(read->rooms[0].home, 63U);
  EXPECT_EQ(read->rooms[0].settled, 9U);
  EXPECT_EQ(read->rooms[1].member.user_id, "m");
  EXPECT_TRUE(read->rooms[1].by_rule);
  EXPECT_TRUE(read->rooms[1].by_signature);
}

TEST(Remembered, AnythingElse_IsNoRecord) {
  for (const std::string_view text :
       {"", "{}", "[]", R"({"nsp":"/","run":1,"first_order":1,"rooms":[]})",
        R"({"nsp":"/","run":1,"first_order":1,"rooms":[{}]})", R"({"nsp":"/","run":1,"first_order":1,"rooms":[1]})",
        R"({"nsp":"/","rooms":[{"channel":"c"}]})", "{\"nsp\":"}) {
    EXPECT_FALSE(parse_record(text)) << text;
  }
}

TEST(Remembered, TheKey_DoesNotTellThePid) {
  EXPECT_EQ(registry_key("AAAAAAAAAAAAAAAAAAAA").size(), 64U);
  EXPECT_NE(registry_key("AAAAAAAAAAAAAAAAAAAA"), registry_key("AAAAAAAAAAAAAAAAAAAB"));
}

}  // namespace
}  // namespace kilat::socketio
