// Publishes one event: publish URL RETRIES RETRY_LOST. Prints {"sent":…,"status":…,"message":…}.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "kilat/publisher.h"

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  kilat::Publisher publisher({.url = argv[1],
                              .app_id = "app-id",
                              .key = "app-key",
                              .secret = "app-secret",
                              .retries = static_cast<std::uint32_t>(std::atoi(argv[2])),
                              .retry_lost = std::string_view(argv[3]) == "true",
                              .backoff = std::chrono::milliseconds(1)});
  auto sent = publisher.trigger_channels({"one", "two"}, "paid", {{"id", 17}});
  // The connection of the first call serves the second.
  if (sent) sent = publisher.trigger_batch({{.channel = "one", .name = "batched", .data = "text"}});
  kilat::json::object out;
  out["sent"] = sent.has_value();
  if (!sent) {
    out["status"] = sent.error().status;
    out["message"] = sent.error().message;
  }
  std::cout << kilat::json::serialize(out) << '\n';
  return 0;
}
