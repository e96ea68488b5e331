// Requests and answers.
#include <array>
#include <string>

#include "base/json_text.h"
#include "faults/scenario.h"

namespace kilat::faults {
namespace {

using fake_net::signed_request;

bool plain_get(World& world) {
  Client client(world, 0);
  client.send("GET /up HTTP/1.1\r\nHost: x\r\n\r\n");
  world.settle();
  client.send("GET /nothing HTTP/1.0\r\n\r\n");
  world.settle();
  return client.answers(200) == 1 && client.answers(404) == 1;
}

bool publish_here_and_there(World& world) {
  Client client(world, 0);
  client.publish(channel_on(world, 0), "a");
  client.publish(channel_on(world, 1), "b", R"(,"info":"subscription_count")");
  client.publish(channel_on(world, 1, "cache-"), "c");
  world.settle();
  return client.answers(200) == 3;
}

bool many_channels(World& world) {
  Client client(world, 0);
  std::string list;
  for (int i = 0; i < 6; ++i) list += std::string(list.empty() ? "" : ",") + "\"ch-" + std::to_string(i) + "\"";
  client.request("POST", "/apps/3/events", R"({"name":"e","data":{"a":1},"channels":[)" + list + "]}");
  world.settle();
  return client.answers(200) == 1;
}

bool batch(World& world) {
  Client client(world, 0);
  client.request("POST", "/apps/3/batch_events",
                 R"({"batch":[{"name":"e","channel":"x","data":"1","info":"subscription_count"},)"
                 R"({"name":"e","channel":"yy","data":"2"},{"name":"e","channel":"zzz","data":"3"}]})");
  world.settle();
  return client.answers(200) == 1;
}

bool questions(World& world) {
  Client reader = connected(world, 1);
  reader.subscribe(channel_on(world, 0));
  reader.subscribe(channel_on(world, 1, "presence-"));
  world.settle();
  Client client(world, 0);
  client.request("GET", "/apps/3/channels", {}, "info=subscription_count");
  client.request("GET", "/apps/3/channels/" + channel_on(world, 1, "presence-"), {}, "info=user_count");
  client.request("GET", "/apps/3/channels/" + channel_on(world, 1, "presence-") + "/users");
  client.request("GET", "/apps/3/connections");
  world.settle();
  return client.answers(200) == 4;
}

bool refused_request(World& world) {
  Client client(world, 0);
  client.send("POST /apps/3/events?auth_key=no HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}");
  client.request("POST", "/apps/3/events", "{not json");
  world.settle();
  client.send("BAD\x01 /\r\n\r\n");
  world.settle();
  return client.answers(401) == 1 && client.answers(400) == 2 && client.ended();
}

bool pipelining(World& world) {
  Client client(world, 0);
  std::string requests;
  for (int i = 0; i < 70; ++i) requests += "GET /up HTTP/1.1\r\nHost: x\r\n\r\n";
  client.send(requests);
  client.publish(channel_on(world, 1), "x");
  client.send("GET /up HTTP/1.1\r\nHost: x\r\n\r\n");
  world.settle();
  return client.answers(200) == 72;
}

bool chunked_body(World& world) {
  Client client(world, 0);
  const std::string body = R"({"name":"e","channel":"c","data":"x"})";
  client.send(signed_request("POST", "/apps/3/events", {}, body, {}, "Transfer-Encoding: chunked\r\n"));
  world.settle();
  for (const char c : body) client.send(std::string("1\r\n") + c + "\r\n");
  client.send("0\r\nTrailer: x\r\n\r\n");
  world.settle();
  return client.answers(200) == 1;
}

bool expect_continue(World& world) {
  Client client(world, 0);
  const std::string body = R"({"name":"e","channel":"c","data":"x"})";
  const std::string request = signed_request("POST", "/apps/3/events", {}, body, {}, "Expect: 100-continue\r\n");
  client.send(std::string_view(request).substr(0, request.size() - body.size()));
  world.settle();
  if (client.answers(100) == 0) return false;
  client.send(body);
  world.settle();
  return client.answers(200) == 1;
}

bool live_page(World& world) {
  Client client(world, 0);
  client.peer().limit_sends(5'000);
  client.send("GET /live/ HTTP/1.1\r\nHost: x\r\n\r\n");
  client.send("GET /live/config.json HTTP/1.1\r\nHost: x\r\n\r\n");
  world.settle();
  return client.answers(200) >= 1;
}

bool tail(World& world) {
  Client follower(world, 1);
  follower.request("GET", "/apps/3/tail", {}, "channel=c*");
  world.settle();
  Client publisher(world, 0);
  publisher.publish("c-1", "first");
  publisher.publish("other", "no");
  publisher.publish("c-2", "second");
  world.settle();
  return follower.bytes().find("second") != std::string::npos;
}

bool idle_keep_alive(World& world) {
  Client client(world, 0);
  client.send("GET /up HTTP/1.1\r\nHost: x\r\n\r\n");
  world.pass(80'000);
  return client.answers(200) == 1 && client.ended();
}

bool slow_request(World& world) {
  Client client(world, 0);
  client.send("GET /up HT");
  world.pass(12'000);
  return client.answers(408) == 1 && client.ended();
}

bool half_closed_client(World& world) {
  Client client(world, 0);
  client.publish(channel_on(world, 1), "x");
  client.peer().half_close();
  world.settle();
  return client.answers(200) == 1 && client.ended();
}

bool blocked_answer(World& world) {
  Client client(world, 0);
  client.peer().open_window(40);
  for (int i = 0; i < 5; ++i) client.send("GET /live/ HTTP/1.1\r\nHost: x\r\n\r\n");
  world.settle();
  client.peer().open_window(fake_net::kUnlimited);
  world.settle();
  return client.answers(200) + client.answers(404) == 5;
}

constexpr auto kScenarios = std::to_array<Scenario>({
    {"PlainGet", plain_get},
    {"PublishHereAndThere", publish_here_and_there},
    {"ManyChannels", many_channels},
    {"Batch", batch},
    {"Questions", questions},
    {"RefusedRequest", refused_request},
    {"Pipelining", pipelining},
    {"ChunkedBody", chunked_body},
    {"ExpectContinue", expect_continue},
    {"LivePage", live_page},
    {"Tail", tail},
    {"IdleKeepAlive", idle_keep_alive},
    {"SlowRequest", slow_request},
    {"HalfClosedClient", half_closed_client},
    {"BlockedAnswer", blocked_answer},
});

}  // namespace

std::span<const Scenario> http_scenarios() {
  return kScenarios;
}

std::string channel_on(World& world, uint32_t shard, std::string_view prefix) {
  for (int i = 0;; ++i) {
    std::string name = std::string(prefix) + "ch" + std::to_string(i);
    if (hub::home_of(0, name, world.size()) == shard % world.size()) return name;
  }
}

}  // namespace kilat::faults
