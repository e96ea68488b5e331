// Publishes one event: publish URL RETRIES RETRY_LOST [KEY]. Prints {"sent":…,"status":…,"message":…}. With KEY it
// hands two readings in instead, with that idempotency key ("-": none of its own), and prints "accepted" and "job" as
// well. KEY may be batch:N: then it publishes N events in one call, and prints "published" of a failure; or calls: then
// it prints what other calls answer.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <utility>
#include <vector>

#include "kilat/publisher.h"

namespace {

template <typename Value>
int print(const kilat::Published<Value>& sent, kilat::json::object out) {
  out["sent"] = sent.has_value();
  if (!sent) {
    out["status"] = sent.error().status;
    out["message"] = sent.error().message;
  }
  std::cout << kilat::json::serialize(out) << '\n';
  return 0;
}

int ingest(kilat::Publisher& publisher, std::string_view key) {
  const auto taken = publisher.ingest(kilat::json::array{kilat::json::object{{"channel", "a"}, {"value", 1}},
                                                         kilat::json::object{{"channel", "a"}, {"value", 2}}},
                                      key == "-" ? std::string_view() : key);
  kilat::json::object out;
  if (taken) {
    out["accepted"] = taken->accepted;
    out["job"] = taken->job;
  }
  return print(taken, std::move(out));
}

int batch(kilat::Publisher& publisher, int count) {
  std::vector<kilat::BatchEvent> events;
  for (int i = 0; i < count; ++i) events.push_back({.channel = "one", .name = "batched", .data = i});
  const auto sent = publisher.trigger_batch(events);
  kilat::json::object out;
  if (!sent) out["published"] = sent.error().published;
  return print(sent, std::move(out));
}

// What the other calls of the API answer, as JSON.
int calls(kilat::Publisher& publisher) {
  const auto text = [](const auto& answer) { return answer ? *answer : kilat::json::value(answer.error().message); };
  const auto taken = publisher.ingest_text(R"([{"channel":"a b&c","value":20.50}])", "calls");
  kilat::json::object out{{"accepted", taken ? taken->accepted : 0}};
  out["readings"] = text(publisher.get("/readings", {{"sensor", "a b&c"}, {"limit", "5"}}));
  out["retried"] = text(publisher.call("POST", "/ingest/failed/retry"));
  out["forgotten"] = text(publisher.call("DELETE", "/ingest/failed"));
  out["unknown"] = text(publisher.call("DELETE", "/ingest/failed/00000000-1"));
  std::cout << kilat::json::serialize(out) << '\n';
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  kilat::Publisher publisher({.url = argv[1],
                              .app_id = "app-id",
                              .key = "app-key",
                              .secret = "app-secret",
                              .retries = static_cast<std::uint32_t>(std::atoi(argv[2])),
                              .retry_lost = std::string_view(argv[3]) == "true",
                              .backoff = std::chrono::milliseconds(1)});
  if (argc > 4 && std::string_view(argv[4]).starts_with("batch:")) return batch(publisher, std::atoi(argv[4] + 6));
  if (argc > 4 && std::string_view(argv[4]) == "calls") return calls(publisher);
  if (argc > 4) return ingest(publisher, argv[4]);
  auto sent = publisher.trigger_channels({"one", "two"}, "paid", {{"id", 17}});
  // The connection of the first call serves the second.
  if (sent) sent = publisher.trigger_batch({{.channel = "one", .name = "batched", .data = "text"}});
  return print(sent, {});
}
