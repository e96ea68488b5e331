#include "ws/deflate_offer.h"

#include <gtest/gtest.h>

namespace kilat::ws {
namespace {

constexpr DeflateConfig kShared{};
constexpr DeflateConfig kDedicated{.server_context_takeover = true, .client_context_takeover = true};

// The response header, or "none".
std::string answer(std::string_view offers, const DeflateConfig& config = kDedicated) {
  std::string response = "left from before";
  const auto params = negotiate_deflate(offers, config, response);
  EXPECT_EQ(params.has_value(), !response.empty());
  return params ? response : "none";
}

TEST(DeflateOffer, WhatBrowsersSend_IsTaken) {
  EXPECT_EQ(answer("permessage-deflate"), "permessage-deflate");
  EXPECT_EQ(answer("permessage-deflate; client_max_window_bits"), "permessage-deflate");
  EXPECT_EQ(answer("permessage-deflate; client_max_window_bits", kShared),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
}

TEST(DeflateOffer, Params_SayWhatTheResponseSays) {
  std::string response;
  const auto params = negotiate_deflate(
      "permessage-deflate; server_no_context_takeover; server_max_window_bits=10; client_max_window_bits=11",
      kDedicated, response);
  ASSERT_TRUE(params);
  EXPECT_TRUE(params->server_no_context_takeover);
  EXPECT_FALSE(params->client_no_context_takeover);
  EXPECT_EQ(params->server_max_window_bits, 10);
  EXPECT_EQ(params->client_max_window_bits, 11);
  EXPECT_EQ(response,
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=10; client_max_window_bits=11");
}

TEST(DeflateOffer, ContextTakeover_IsWhatBothSidesWant) {
  EXPECT_EQ(answer("permessage-deflate; client_no_context_takeover"), "permessage-deflate; client_no_context_takeover");
  EXPECT_EQ(answer("permessage-deflate", {.server_context_takeover = true, .client_context_takeover = false}),
            "permessage-deflate; client_no_context_takeover");
  EXPECT_EQ(answer("permessage-deflate", {.server_context_takeover = false, .client_context_takeover = true}),
            "permessage-deflate; server_no_context_takeover");
}

TEST(DeflateOffer, ClientWindow_IsOnlyNamedToClientsThatKnowIt) {
  const DeflateConfig config{
      .server_context_takeover = true, .client_context_takeover = true, .client_max_window_bits = 10};
  std::string response;
  EXPECT_EQ(negotiate_deflate("permessage-deflate", config, response)->client_max_window_bits, 15);
  EXPECT_EQ(response, "permessage-deflate");
  EXPECT_EQ(answer("permessage-deflate; client_max_window_bits", config),
            "permessage-deflate; client_max_window_bits=10");
  EXPECT_EQ(answer("permessage-deflate; client_max_window_bits=9", config),
            "permessage-deflate; client_max_window_bits=9");
  EXPECT_EQ(answer("permessage-deflate; client_max_window_bits=12", config),
            "permessage-deflate; client_max_window_bits=10");
  EXPECT_EQ(answer("permessage-deflate; client_max_window_bits=8"), "permessage-deflate; client_max_window_bits=8");
}

TEST(DeflateOffer, ServerWindow_IsTheLesserOne) {
  EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=15"), "permessage-deflate; server_max_window_bits=15");
  EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=9"), "permessage-deflate; server_max_window_bits=9");
  const DeflateConfig config{
      .server_context_takeover = true, .client_context_takeover = true, .server_max_window_bits = 12};
  EXPECT_EQ(answer("permessage-deflate", config), "permessage-deflate; server_max_window_bits=12");
  EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=14", config),
            "permessage-deflate; server_max_window_bits=12");
}

TEST(DeflateOffer, WindowThatZlibCannotDo_DeclinesTheOffer) {
  EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=8"), "none");
  EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=8, permessage-deflate"), "permessage-deflate");
  EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=11", {.server_min_window_bits = 12}), "none");
}

TEST(DeflateOffer, WrongParameters_DeclineTheOfferAlone) {
  for (const std::string_view parameters : {"unknown",
                                            "server_no_context_takeover=1",
                                            "client_no_context_takeover=true",
                                            "server_max_window_bits",
                                            "server_max_window_bits=7",
                                            "server_max_window_bits=16",
                                            "server_max_window_bits=08",
                                            "server_max_window_bits=1",
                                            "server_max_window_bits=100",
                                            "server_max_window_bits=ten",
                                            "client_max_window_bits=7",
                                            "client_max_window_bits=16",
                                            "client_max_window_bits=015",
                                            "client_max_window_bits=-9",
                                            "server_no_context_takeover; server_no_context_takeover",
                                            "client_no_context_takeover; client_no_context_takeover",
                                            "client_max_window_bits; client_max_window_bits",
                                            "client_max_window_bits=9; client_max_window_bits=9",
                                            "server_max_window_bits=9; server_max_window_bits=9",
                                            "client_max_window_bits; x=\"y\""}) {
    const std::string offer = "permessage-deflate; " + std::string(parameters);
    EXPECT_EQ(answer(offer), "none") << parameters;
    EXPECT_EQ(answer(offer + ", permessage-deflate"), "permessage-deflate") << parameters;
  }
}

TEST(DeflateOffer, FirstGoodOffer_Wins) {
  EXPECT_EQ(answer("x-webkit-deflate-frame, permessage-bzip2; a=b, permessage-deflate; server_max_window_bits=10, "
                   "permessage-deflate"),
            "permessage-deflate; server_max_window_bits=10");
}

TEST(DeflateOffer, QuotedValuesBlanksAndCase_AreRead) {
  EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=\"10\""),
            "permessage-deflate; server_max_window_bits=10");
  EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=\"\\10\""),
            "permessage-deflate; server_max_window_bits=10");
  EXPECT_EQ(answer(" ,\t, PerMessage-Deflate\t;Client_Max_Window_Bits = 10 ,,"),
            "permessage-deflate; client_max_window_bits=10");
}

TEST(DeflateOffer, OtherExtensionsOrNothing_GiveNone) {
  for (const std::string_view offers : {"", " ", ",", "permessage-bzip2", "permessage-deflate-x", "permessage"}) {
    EXPECT_EQ(answer(offers), "none") << offers;
  }
}

TEST(DeflateOffer, BrokenGrammar_DeclinesAll) {
  for (const std::string_view offers :
       {";", "=", "permessage-deflate;", "permessage-deflate; ;", "permessage-deflate; =1",
        "permessage-deflate; client_max_window_bits=", "permessage-deflate; server_max_window_bits=\"10",
        "permessage-deflate; server_max_window_bits=\"1 0\"", "permessage-deflate; server_max_window_bits=\"\"",
        "permessage-deflate; server_max_window_bits=\"10\"x", "permessage-deflate; server_max_window_bits=\"10\\",
        "permessage-deflate client_max_window_bits", "permessage-deflate, (", "permessage-deflate\r\nX: y",
        "permessage-deflate; client_max_window_bits==9", "permessage deflate"}) {
    EXPECT_EQ(answer(offers), "none") << offers;
  }
}

}  // namespace
}  // namespace kilat::ws
