// Publishes one event: publish URL RETRIES RETRY_LOST [KEY]. Prints {"sent":…,"status":…,"message":…}. With KEY it
// hands two readings in instead, with that idempotency key ("-": none of its own), and prints "accepted" and "job" as
// well.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <utility>

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
  if (argc > 4) return ingest(publisher, argv[4]);
  auto sent = publisher.trigger_channels({"one", "two"}, "paid", {{"id", 17}});
  // The connection of the first call serves the second.
  if (sent) sent = publisher.trigger_batch({{.channel = "one", .name = "batched", .data = "text"}});
  return print(sent, {});
}
