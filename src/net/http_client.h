// HttpClient: outgoing HTTP requests, on one thread of its own (libcurl's multi interface): key documents, webhooks,
// questions to backends. The thread starts with the first request.
// Owner: Server. Any thread submits; callbacks run on the client's thread and must not block or throw.
// Bounds: kInFlightMax requests under way, kHostConnectionsMax connections to one host (others wait, and their time
// runs); each has its own limits of time and size. http and https only; redirects are not followed, because an address
// that was configured must not become another one. Proxies of the environment are used as curl does.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace kilat::net {

class HttpClient {
 public:
  static constexpr size_t kInFlightMax = 1'024;
  static constexpr long kHostConnectionsMax = 32;

  struct Request {
    std::string method = "GET";
    std::string url;
    /// Names and values. One with a line break or a NUL in it fails the request: it would become another header.
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;  ///< sent with any method but GET
    uint32_t timeout_ms = 10'000;
    size_t answer_bytes_max = 1024 * 1024;
  };
  struct Response {
    long status = 0;    ///< 0: no whole answer came
    std::string error;  ///< then: why, in curl's words; never holds anything of the request
    std::string body;
    std::string cache_control;
  };
  using Done = std::move_only_function<void(Response)>;

  HttpClient();
  /// Ends all that is under way; their callbacks are destroyed and not called.
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// `done` is called once, never before this returns. False when too many are under way: then it is not called.
  bool submit(Request request, Done done);

 private:
  struct Transfer;
  struct Loop;
  void run();

  std::unique_ptr<Loop> loop_;
  std::atomic<size_t> in_flight_{0};
  std::atomic<bool> ending_{false};
  std::mutex mutex_;  ///< of the two below
  std::vector<std::unique_ptr<Transfer>> submitted_;
  std::thread thread_;
};

}  // namespace kilat::net
