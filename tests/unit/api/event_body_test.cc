#include "api/event_body.h"

#include <gtest/gtest.h>

#include <string>

#include "base/json_text.h"

namespace kilat::api {
namespace {

using List = std::vector<std::string>;

struct EventBody : ::testing::Test {
  Result<Event> parse(std::string body) {
    const size_t size = body.size();
    body.append(64, '#');
    return parser.parse_event(std::string_view(body).substr(0, size), app, strict);
  }
  Result<std::vector<Event>> batch(std::string body) {
    const size_t size = body.size();
    body.append(64, '#');
    return parser.parse_batch(std::string_view(body).substr(0, size), app, strict);
  }
  std::string_view sin(std::string body) {
    const Result<Event> event = parse(std::move(body));
    return event ? "none" : reason_row(event.error().reason).id;
  }
  std::string_view batch_sin(std::string body) {
    const auto events = batch(std::move(body));
    return events ? "none" : reason_row(events.error().reason).id;
  }
  static std::string id(Reason reason) { return std::string(reason_row(reason).id); }

  hub::AppSettings app;
  bool strict = false;
  EventParser parser;
};

TEST_F(EventBody, WholeEvent_GivesItsParts) {
  const auto event = parse(
      R"({"name":"order.new","data":"{\"a\":1}","channels":["a","b"],"socket_id":"12.34","info":"user_count,x,cache"})");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->name, "order.new");
  EXPECT_EQ(event->data, R"("{\"a\":1}")");
  EXPECT_EQ(event->channels, (List{"a", "b"}));
  EXPECT_EQ(event->exclude, (hub::SocketId{12, 34}));
  EXPECT_TRUE(event->info.user_count);
  EXPECT_TRUE(event->info.cache);
  EXPECT_FALSE(event->info.subscription_count);
}

TEST_F(EventBody, StringData_IsCarriedOverByteForByte) {
  for (const char* data : {R"("hello")", R"("")", R"("\u0000\u001f\/ \" \\ é😀 \ud83d\ude00")", R"("</script>")",
                           R"("{\"data\":\"x\"}")", R"("] } ,")"}) {
    const auto event = parse(std::string(R"({ "name" : "e", "channel":"c" , "data" :)") + data + " }");
    ASSERT_TRUE(event) << data;
    EXPECT_EQ(event->data, data);
  }
}

TEST_F(EventBody, OtherData_IsMadeAStringOnce) {
  for (const char* data :
       {R"({"a": [1, "é\n"] })", "[]", "7", "-0.50", "true", "null", "123456789012345678901234567890"}) {
    const auto event = parse(std::string(R"({"name":"e","channel":"c","data":)") + data + "}");
    ASSERT_TRUE(event) << data;
    EXPECT_EQ(event->data, json_string(data));
  }
}

TEST_F(EventBody, EscapedKeysAndRepeatedKeys_MeanOneMemberAlone) {
  const auto escaped = parse(R"({"n\u0061me":"e","ch\u0061nnel":"c","d\u0061ta":"x"})");
  ASSERT_TRUE(escaped);
  EXPECT_EQ(escaped->data, R"("x")");
  const auto twice = parse(R"({"name":"e","channel":"c","data":"first","d\u0061ta":5})");
  ASSERT_TRUE(twice);
  EXPECT_EQ(twice->data, R"("first")");
}

TEST_F(EventBody, NestedData_IsNotMistakenForTheEvents) {
  const auto event = parse(R"({"x":{"data":"inner"},"name":"e","channel":"c","data":"outer"})");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->data, R"("outer")");
}

TEST_F(EventBody, ChannelAndChannels_AreJoinedWithoutDoubles) {
  EXPECT_EQ(parse(R"({"name":"e","data":"","channels":["a","b","a"],"channel":"b"})")->channels, (List{"a", "b"}));
  EXPECT_EQ(parse(R"({"name":"e","data":"","channels":["a"],"channel":"c"})")->channels, (List{"a", "c"}));
  EXPECT_EQ(parse(R"({"name":"e","data":"","channel":"c"})")->channels, (List{"c"}));
}

TEST_F(EventBody, HalfASurrogatePair_IsCarriedOverAsJavaScriptWroteIt) {
  const auto event = parse(R"({"name":"e","channel":"c","data":"\ud83d \ude00 \ud83d\ude00 \udfff"})");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->data, R"("\ud83d \ude00 \ud83d\ude00 \udfff")");
}

TEST_F(EventBody, BodyThatIsNoObject_IsRefused) {
  for (const char* body : {"", "{", "[]", "null", "5", "\"x\"", "x", R"({"name":"e","channel":"c","data":"x"}x)",
                           "{\"name\":\"\xff\"}", R"({"name":"e","channel":"c","data":"\ud8zz"})"}) {
    EXPECT_EQ(sin(body), id(Reason::kApiBodyInvalid)) << body;
  }
  EXPECT_EQ(sin(R"({"name":"e","channel":"c"})"), id(Reason::kApiBodyInvalid));
  EXPECT_EQ(sin(R"({"name":"e","channel":"c","data":)" + std::string(600, '[') + std::string(600, ']') + "}"),
            id(Reason::kApiBodyInvalid));
}

TEST_F(EventBody, EventName_HasALengthAndAType) {
  const auto with_name = [&](const std::string& name) {
    return sin(R"({"channel":"c","data":"","name":)" + name + "}");
  };
  EXPECT_EQ(with_name(json_string(std::string(200, 'x'))), "none");
  for (const std::string& name : {json_string(std::string(201, 'x')), std::string("\"\""), std::string("5"),
                                  std::string("null"), std::string("[]")}) {
    EXPECT_EQ(with_name(name), id(Reason::kApiEventNameInvalid)) << name;
  }
  EXPECT_EQ(sin(R"({"channel":"c","data":""})"), id(Reason::kApiEventNameInvalid));
}

TEST_F(EventBody, Channels_HaveLimitsAndTypes) {
  const auto with = [&](const std::string& channels) { return sin(R"({"name":"e","data":"",)" + channels + "}"); };
  EXPECT_EQ(with(R"("channel":)" + json_string(std::string(200, 'x'))), "none");
  for (const std::string& channels :
       {R"("channel":)" + json_string(std::string(201, 'x')), std::string(R"("channel":"")"),
        std::string(R"("channel":5)"), std::string(R"("channel":null)"), std::string(R"("channels":[])"),
        std::string(R"("channels":"c")"), std::string(R"("channels":["a",5])"), std::string(R"("channels":["a",""])"),
        std::string(R"("channel":"#x")"), std::string(R"("channel":"a\u0000")"), std::string(R"("x":1)")}) {
    EXPECT_EQ(with(channels), id(Reason::kApiChannelInvalid)) << channels;
  }
  EXPECT_EQ(with(R"("channel":"#server-to-user-1")"), "none");
  EXPECT_EQ(with(R"("channel":"a b")"), "none");
  strict = true;
  EXPECT_EQ(with(R"("channel":"a b")"), id(Reason::kApiChannelInvalid));
}

TEST_F(EventBody, ChannelsPerEvent_AreCounted) {
  const auto body = [](int count) {
    std::string text = R"({"name":"e","data":"","channels":[)";
    for (int i = 0; i < count; ++i) text += (i > 0 ? ",\"c" : "\"c") + std::to_string(i) + "\"";
    return text + "]}";
  };
  EXPECT_EQ(parse(body(100))->channels.size(), 100U);
  EXPECT_EQ(sin(body(101)), id(Reason::kApiTooManyChannels));
}

TEST_F(EventBody, EncryptedChannel_StandsAlone) {
  EXPECT_EQ(sin(R"({"name":"e","data":"","channels":["private-encrypted-a"]})"), "none");
  EXPECT_EQ(sin(R"({"name":"e","data":"","channels":["private-encrypted-a","private-encrypted-a"]})"), "none");
  EXPECT_EQ(sin(R"({"name":"e","data":"","channels":["b","private-encrypted-a"]})"), id(Reason::kApiEncryptedNotAlone));
  EXPECT_EQ(sin(R"({"name":"e","data":"","channels":["private-encrypted-cache-a"],"channel":"b"})"),
            id(Reason::kApiEncryptedNotAlone));
}

TEST_F(EventBody, DataSize_IsThatOfTheStringOrOfTheJsonText) {
  app.event_bytes_max = 10;
  const auto with_data = [&](const std::string& data) {
    return sin(R"({"name":"e","channel":"c","data":)" + data + "}");
  };
  EXPECT_EQ(with_data(R"("0123456789")"), "none");
  EXPECT_EQ(with_data(R"("\u0030\u0031\u0032\u0033\u0034\u0035\u0036\u0037\u0038\u0039")"), "none");
  EXPECT_EQ(with_data(R"("01234567890")"), id(Reason::kApiDataTooBig));
  EXPECT_EQ(with_data("[123,4567]"), "none");
  EXPECT_EQ(with_data("[123,45678]"), id(Reason::kApiDataTooBig));
}

TEST_F(EventBody, SocketId_IsCheckedWhenThere) {
  const auto with_id = [&](const std::string& socket_id) {
    return sin(R"({"name":"e","channel":"c","data":"","socket_id":)" + socket_id + "}");
  };
  EXPECT_EQ(with_id("\"1.2\""), "none");
  EXPECT_EQ(with_id("\"9999999999.9999999999\""), "none");
  EXPECT_EQ(with_id("null"), "none");
  for (const char* bad :
       {"\"\"", "\"x\"", "\"1\"", "\"1.\"", "\".2\"", "\"1.2.3\"", "\"1.2\\n\"", "1.2", "[]", "\"-1.2\""}) {
    EXPECT_EQ(with_id(bad), id(Reason::kApiSocketIdInvalid)) << bad;
  }
}

TEST_F(EventBody, Info_OfAnotherTypeMeansNothing) {
  EXPECT_FALSE(parse(R"({"name":"e","channel":"c","data":"","info":5})")->info.any());
  EXPECT_FALSE(parse(R"({"name":"e","channel":"c","data":"","info":",,x,"})")->info.any());
  EXPECT_TRUE(parse_info("x,subscription_count").subscription_count);
  EXPECT_FALSE(parse_info(" user_count").user_count);
}

TEST_F(EventBody, Batch_GivesAllEventsInOrderWithTheirRawData) {
  const auto events =
      batch(R"({"batch":[ {"name":"a","channel":"c","data":"[\"x\"]"} ,{"name":"b","channel":"d","data":{"k": "]}"}},)"
            R"({"data":"\u0031","name":"c","channels":["e"]}]})");
  ASSERT_TRUE(events);
  ASSERT_EQ(events->size(), 3U);
  EXPECT_EQ((*events)[0].data, R"("[\"x\"]")");
  EXPECT_EQ((*events)[1].data, R"("{\"k\": \"]}\"}")");
  EXPECT_EQ((*events)[2].data, R"("\u0031")");
  EXPECT_EQ((*events)[2].channels, (List{"e"}));
}

TEST_F(EventBody, BatchOfWrongShape_IsRefused) {
  for (const char* body : {"", "[]", "{}", R"({"batch":{}})", R"({"batch":null})", R"({"batch":[5]})",
                           R"({"batch":[[]]})", R"({"batch":"[]"})"}) {
    EXPECT_EQ(batch_sin(body), id(Reason::kApiBodyInvalid)) << body;
  }
  EXPECT_EQ(batch_sin(R"({"batch":[{"name":"e","channel":"c","data":""},{"name":"e","data":""}]})"),
            id(Reason::kApiChannelInvalid));
}

TEST_F(EventBody, BatchLength_IsLimited) {
  const auto body = [](int count) {
    std::string text = R"({"batch":[)";
    for (int i = 0; i < count; ++i) text += std::string(i > 0 ? "," : "") + R"({"name":"e","channel":"c","data":""})";
    return text + "]}";
  };
  EXPECT_EQ(batch(body(0))->size(), 0U);
  EXPECT_EQ(batch(body(10))->size(), 10U);
  EXPECT_EQ(batch_sin(body(11)), id(Reason::kApiBatchTooLong));
}

TEST_F(EventBody, Refusals_AllHaveAnHttpStatus) {
  for (const char* body : {"", R"({"name":""})", R"({"name":"e","channel":"c"})"}) {
    const auto event = parse(body);
    ASSERT_FALSE(event);
    EXPECT_EQ(reason_row(event.error().reason).http_status, 400);
  }
  EXPECT_EQ(reason_row(Reason::kApiDataTooBig).http_status, 413);
}

}  // namespace
}  // namespace kilat::api
