// A signing client of the HTTP API over one kept-alive connection. Main thread of a command; one object, one thread.
// Bounds: an answer is cut off at kAnswerBytesMax, connecting takes at most 5 s, a request at most 30 s.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "cli/failure.h"
#include "cli/sign.h"

namespace kilat::cli {

inline constexpr size_t kAnswerBytesMax = 16 * 1024 * 1024;

/// Where an app is served, and as whom to speak to it.
struct ApiTarget {
  std::string url;  ///< "http://127.0.0.1:6001", with the server's path prefix if it has one
  std::string app_id;
  Credentials credentials;
};

struct ApiAnswer {
  long status = 0;
  std::string body;
  double elapsed_ms = 0;
};

/// What is asked for below /apps/{id}.
struct ApiRequest {
  std::string method = "GET";
  std::string path = {};  ///< "/ingest"
  Parameters parameters = {};
  std::string body = {};
  std::string content_type = "application/json";
  std::string idempotency_key = {};  ///< empty: none
};

class ApiClient {
 public:
  explicit ApiClient(ApiTarget target);
  ~ApiClient();
  ApiClient(const ApiClient&) = delete;
  ApiClient& operator=(const ApiClient&) = delete;

  /// Any HTTP status is an answer; a Failure means that none came.
  Outcome<ApiAnswer> send(const ApiRequest& request);

  /// POSTs `body` to /apps/{id}`path`.
  Outcome<ApiAnswer> post(std::string_view path, const std::string& body);

  /// GETs /apps/{id}`path` and hands over the bytes of a 200 as they come, for as long as they come. The answer of
  /// another status is collected as usual. Returns when the stream ends; fails when it breaks off.
  Outcome<ApiAnswer> stream(std::string_view path, const Parameters& parameters,
                            std::function<void(std::string_view)> on_bytes);

  /// The failure that an answer other than 200 amounts to, with the server's words and a remedy.
  Failure refusal(std::string what, const ApiAnswer& answer) const;

  const ApiTarget& target() const { return target_; }

 private:
  struct Transfer;
  Outcome<ApiAnswer> perform(const ApiRequest& request, Transfer& transfer);

  ApiTarget target_;
  void* curl_ = nullptr;  // CURL*, kept out of the header
  std::string last_url_;  // without the query, for messages
};

/// Back-off between attempts: 0.25 s, doubling up to 10 s.
class Backoff {
 public:
  std::chrono::milliseconds next();
  void reset() { step_ = 0; }

 private:
  unsigned step_ = 0;
};

}  // namespace kilat::cli
