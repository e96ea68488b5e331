#include "auth/backend_desk.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace kilat::auth {
namespace {

class BackendDeskTest : public ::testing::Test, private BackendTransport {
 protected:
  BackendDeskTest() {
    desk.set_now(1'000);
    desk.configure(0, {.url = "http://backend/auth", .timeout_ms = 500, .cache_s = 60});
  }

  /// Asks for `channel` as `user`; the answer, when it comes, is at the place that is returned.
  size_t ask(const std::string& channel, const std::string& user = "7") {
    const size_t place = answers.size();
    answers.emplace_back();
    desk.ask(0, {.channel = channel, .socket_id = "1.2", .user_id = user, .headers = {{"Cookie", "a=b"}}},
             [this, place](const BackendAnswer& answer) { answers[place] = answer; });
    return place;
  }

  BackendDesk desk{*this};
  std::vector<Request> sent;
  std::vector<std::optional<BackendAnswer>> answers;
  bool has_room = true;
  std::vector<std::string> circuit;  ///< what was said of it

 private:
  void on_circuit(uint32_t app, bool open, long status, std::string_view why) override {
    circuit.push_back(std::to_string(app) + (open ? " open " : " closed ") + std::to_string(status) + std::string(why));
  }
  bool send(Request request) override {
    if (has_room) sent.push_back(std::move(request));
    return has_room;
  }
};

TEST_F(BackendDeskTest, Question_IsAFormWithTheClientsHeaders) {
  ask("private-a b&c");
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].url, "http://backend/auth");
  EXPECT_EQ(sent[0].form, "channel_name=private-a%20b%26c&socket_id=1.2&user_id=7");
  EXPECT_EQ(sent[0].headers, (std::vector<std::pair<std::string, std::string>>{{"Cookie", "a=b"}}));
  EXPECT_EQ(sent[0].timeout_ms, 500u);
}

TEST_F(BackendDeskTest, Answers_AreReadAsLaravelGivesThem) {
  const struct {
    long status;
    const char* body;
    Reason refused;
  } kCases[] = {
      {200, "true", Reason::kNone},
      {200, "{\"auth\":\"k:s\"}", Reason::kNone},
      {200, "false", Reason::kBackendRefused},
      {200, "<html>", Reason::kBackendUnavailable},
      {200, "", Reason::kBackendUnavailable},
      {401, "", Reason::kBackendRefused},
      {403, "{}", Reason::kBackendRefused},
      {404, "", Reason::kBackendRefused},
      {302, "", Reason::kBackendUnavailable},
      {419, "", Reason::kBackendUnavailable},
      {500, "true", Reason::kBackendUnavailable},
      {0, "", Reason::kBackendUnavailable},
  };
  int number = 0;
  for (const auto& one : kCases) {
    desk.configure(0, {.url = "http://b/" + std::to_string(++number), .timeout_ms = 500, .cache_s = 0});
    const size_t place = ask("private-x");
    desk.on_answer(sent.back().id, one.status, one.body);
    ASSERT_TRUE(answers[place]);
    EXPECT_EQ(answers[place]->refused, one.refused) << one.status << " " << one.body;
  }
}

TEST_F(BackendDeskTest, Member_MayBeAnObjectOrItsText) {
  for (const char* body : {R"({"channel_data":{"user_id":5,"user_info":{"n":1}}})",
                           R"({"channel_data":"{\"user_id\":5,\"user_info\":{\"n\":1}}"})"}) {
    const size_t place = ask(std::string("presence-") + body[17]);
    desk.on_answer(sent.back().id, 200, body);
    ASSERT_TRUE(answers[place]);
    EXPECT_EQ(answers[place]->user_id, "5");
    EXPECT_EQ(answers[place]->user_info, R"({"n":1})");
  }
  const size_t lying = ask("presence-lying");
  desk.on_answer(sent.back().id, 200, R"({"channel_data":{"user_id":""}})");
  EXPECT_EQ(answers[lying]->refused, Reason::kPresenceDataInvalid);
}

TEST_F(BackendDeskTest, Answer_IsKeptForItsTimeAndForItsClientOnly) {
  const size_t first = ask("private-a");
  desk.on_answer(sent[0].id, 200, "true");
  EXPECT_EQ(answers[first]->refused, Reason::kNone);
  const size_t again = ask("private-a");
  ASSERT_TRUE(answers[again]) << "answered at once";
  EXPECT_EQ(sent.size(), 1u);
  ask("private-a", "8");
  EXPECT_EQ(sent.size(), 2u) << "another user is another question";
  desk.set_now(1'000 + 60'000);
  ask("private-a");
  EXPECT_EQ(sent.size(), 3u);
}

TEST_F(BackendDeskTest, Refusal_IsKeptForFiveSecondsOnly) {
  ask("private-a");
  desk.on_answer(sent[0].id, 403, "");
  desk.set_now(1'000 + 4'999);
  ask("private-a");
  EXPECT_EQ(sent.size(), 1u);
  desk.set_now(1'000 + 5'000);
  ask("private-a");
  EXPECT_EQ(sent.size(), 2u);
}

TEST_F(BackendDeskTest, SameQuestion_IsAskedOnceWhileItIsUnderWay) {
  const size_t a = ask("private-a");
  const size_t b = ask("private-a");
  EXPECT_EQ(sent.size(), 1u);
  desk.on_answer(sent[0].id, 200, "true");
  EXPECT_TRUE(answers[a] && answers[b]);
  desk.on_answer(sent[0].id, 200, "true");  // a second answer to it is nobody's
}

TEST_F(BackendDeskTest, FailuresInARow_OpenTheCircuit_UntilOneQuestionIsAnswered) {
  for (uint32_t i = 0; i < BackendDesk::kFailuresMax; ++i) {
    ask("private-" + std::to_string(i));
    desk.on_answer(sent.back().id, 0, "");
  }
  const size_t before = sent.size();
  const size_t refused = ask("private-x");
  EXPECT_EQ(answers[refused]->refused, Reason::kBackendUnavailable);
  EXPECT_EQ(sent.size(), before) << "it is left alone";
  desk.set_now(1'000 + BackendDesk::kOpenMs);
  ask("private-probe");
  const size_t second = ask("private-y");
  EXPECT_EQ(sent.size(), before + 1) << "one tries, the others wait for what comes of it";
  EXPECT_EQ(answers[second]->refused, Reason::kBackendUnavailable);
  desk.on_answer(sent.back().id, 200, "true");
  ask("private-z");
  EXPECT_EQ(sent.size(), before + 2) << "closed again";
}

TEST_F(BackendDeskTest, Circuit_IsToldOfWhenItOpensAndWhenItCloses) {
  const auto fail = [this](uint32_t times, long status, const char* body) {
    for (uint32_t i = 0; i < times; ++i) {
      ask("private-" + std::to_string(sent.size()));
      desk.on_answer(sent.back().id, status, body);
    }
  };
  fail(BackendDesk::kFailuresMax, 0, "no route");
  desk.set_now(1'000 + BackendDesk::kOpenMs);
  fail(1, 503, "secret words of a page");
  desk.set_now(1'000 + 2 * BackendDesk::kOpenMs);
  fail(1, 403, "");
  fail(BackendDesk::kFailuresMax, 500, "secret words of a page");
  EXPECT_EQ(circuit, (std::vector<std::string>{"0 open 0no route", "0 closed 403", "0 open 500"}));
}

TEST_F(BackendDeskTest, WhatAClientCanBringAbout_DoesNotOpenTheCircuit) {
  for (const long status : {200L, 302L, 400L, 413L, 419L, 422L, 431L}) {
    for (uint32_t i = 0; i < 2 * BackendDesk::kFailuresMax; ++i) {
      const size_t place = ask("private-" + std::to_string(status) + std::to_string(i));
      desk.on_answer(sent.back().id, status, "<html>");
      EXPECT_EQ(answers[place]->refused, Reason::kBackendUnavailable) << status;
    }
  }
  EXPECT_TRUE(circuit.empty());
  const size_t honest = ask("private-honest");
  desk.on_answer(sent.back().id, 200, "true");
  EXPECT_EQ(answers[honest]->refused, Reason::kNone);
}

TEST_F(BackendDeskTest, HeadersThatAreNone_AreRefusedAndNotSent) {
  const auto refused = [this](const std::string& value) {
    std::optional<BackendAnswer> answer;
    desk.ask(0, {.channel = "private-a", .socket_id = "1.2", .user_id = "", .headers = {{"Authorization", value}}},
             [&answer](const BackendAnswer& said) { answer = said; });
    return answer && answer->refused == Reason::kBackendRefused;
  };
  EXPECT_TRUE(refused("a\r\nX: b"));
  EXPECT_TRUE(refused(std::string("a\0b", 3)));
  EXPECT_TRUE(refused("a\x7f"));
  EXPECT_TRUE(refused(std::string(BackendDesk::kHeaderBytesMax, 'a')));
  EXPECT_TRUE(sent.empty());
  EXPECT_FALSE(refused("Bearer\ta"));
  EXPECT_FALSE(refused("Bearer \xc3\xa4"));
  EXPECT_EQ(sent.size(), 2u);
}

TEST_F(BackendDeskTest, LongMember_IsNotKept) {
  const std::string body =
      R"({"channel_data":{"user_id":"5","user_info":{"n":")" + std::string(BackendDesk::kKeptInfoMax, 'x') + R"("}}})";
  for (size_t asked = 1; asked <= 2; ++asked) {
    const size_t place = ask("presence-a");
    ASSERT_EQ(sent.size(), asked);
    desk.on_answer(sent.back().id, 200, body);
    EXPECT_EQ(answers[place]->user_id, "5");
  }
}

TEST_F(BackendDeskTest, FailedProbe_KeepsTheCircuitOpen) {
  for (uint32_t i = 0; i < BackendDesk::kFailuresMax; ++i) {
    ask("private-" + std::to_string(i));
    desk.on_answer(sent.back().id, 500, "");
  }
  desk.set_now(1'000 + BackendDesk::kOpenMs);
  ask("private-probe");
  desk.on_answer(sent.back().id, 0, "");
  const size_t before = sent.size();
  ask("private-x");
  EXPECT_EQ(sent.size(), before);
}

TEST_F(BackendDeskTest, NoRoomOrNoBackend_IsAnsweredAtOnce) {
  has_room = false;
  EXPECT_EQ(answers[ask("private-a")]->refused, Reason::kBackendUnavailable);
  desk.configure(0, {});
  EXPECT_EQ(answers[ask("private-a")]->refused, Reason::kRuleRefused);
}

TEST_F(BackendDeskTest, OtherSettings_ForgetWhatWasKept) {
  ask("private-a");
  desk.on_answer(sent[0].id, 200, "true");
  desk.configure(0, {.url = "http://other/", .timeout_ms = 500, .cache_s = 60});
  ask("private-a");
  EXPECT_EQ(sent.size(), 2u);
}

}  // namespace
}  // namespace kilat::auth
