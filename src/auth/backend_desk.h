// BackendDesk: asks an app's backend whether a client may subscribe, where a rule leaves that to it: the answers that
// it keeps, what waits for one, and a circuit breaker, so that a backend that is down is not asked by every client.
// Owner: one shard's thread. No I/O: BackendTransport sends. Bounds: kKeptMax answers, each with kKeptInfoMax bytes of
// the member at most; kWaitingMax questions, each with kHeaderBytesMax bytes of headers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "auth/backend_settings.h"
#include "auth/hmac.h"
#include "base/reason.h"

namespace kilat {
class JsonParser;
}

namespace kilat::auth {

/// What the backend is asked, as clients of Pusher and laravel-echo-server's ask it: a form with socket_id and
/// channel_name, with the client's own headers.
struct BackendQuestion {
  std::string channel;
  std::string socket_id;
  std::string user_id;                                       ///< of a client that is signed in here; else empty
  std::vector<std::pair<std::string, std::string>> headers;  ///< of the client: Authorization, Cookie, X-CSRF-TOKEN
};

struct BackendAnswer {
  Reason refused = Reason::kNone;
  std::string user_id;    ///< presence: the member, if the backend names one
  std::string user_info;  ///< JSON text, an object; or empty
};

class BackendTransport {
 public:
  struct Request {
    uint64_t id = 0;  ///< of BackendDesk::on_answer
    std::string url;
    std::string form;
    std::vector<std::pair<std::string, std::string>> headers;
    uint32_t timeout_ms = 0;
  };
  /// on_answer() follows, always, and never before this returns. False: too many are under way.
  virtual bool send(Request request) = 0;
  /// The backend of the app with this index is left alone from now on, because it does not answer (`status` 0, and
  /// `why`) or fails; or it has answered again. For the log.
  virtual void on_circuit(uint32_t app, bool open, long status, std::string_view why) = 0;

 protected:
  ~BackendTransport() = default;
};

class BackendDesk {
 public:
  static constexpr size_t kWaitingMax = 10'000;
  static constexpr size_t kKeptMax = 10'000;
  static constexpr size_t kKeptInfoMax = 4'096;         ///< an answer with more is not kept
  static constexpr size_t kHeaderBytesMax = 16 * 1024;  ///< as much as a request that opens a connection may have
  static constexpr uint32_t kRefusalKeptS = 5;          ///< at most: somebody who was given a right does not wait long
  static constexpr uint32_t kFailuresMax = 5;           ///< one after the other, then the circuit opens
  static constexpr uint64_t kOpenMs = 5'000;            ///< before one question tries whether the backend is back

  using Done = std::move_only_function<void(const BackendAnswer&)>;

  explicit BackendDesk(BackendTransport& transport);
  ~BackendDesk();
  BackendDesk(const BackendDesk&) = delete;
  BackendDesk& operator=(const BackendDesk&) = delete;

  /// Other settings forget what was kept of the app.
  void configure(uint32_t app, const BackendSettings& settings);
  /// Monotonic milliseconds; once a turn.
  void set_now(uint64_t now_ms) { now_ms_ = now_ms; }

  /// Asks for the app with this index; `done` is called once, on this thread, perhaps before this returns. Headers that
  /// are no headers of HTTP, or too long, are refused with kBackendRefused and not sent.
  void ask(uint32_t index, const BackendQuestion& question, Done done);
  /// `status` 0: no answer came, and `body` says why.
  void on_answer(uint64_t id, long status, std::string_view body);

 private:
  struct App {
    BackendSettings settings;
    uint32_t failures = 0;
    uint64_t open_until_ms = 0;  ///< 0: closed
    bool probing = false;
  };
  struct Kept {
    BackendAnswer answer;
    uint64_t until_ms = 0;
  };
  struct Waiting {
    uint32_t app = 0;
    std::string key;
    bool presence = false;
    std::vector<Done> done;
  };

  std::string key_of(uint32_t app, const BackendQuestion& question);
  BackendAnswer read(const Waiting& waiting, long status, std::string_view body);
  void note(uint32_t index, long status, std::string_view why);
  void keep(const Waiting& waiting, const BackendAnswer& answer);

  BackendTransport& transport_;
  HmacSha256 hash_{"question"};
  std::unique_ptr<JsonParser> parser_;
  std::vector<App> apps_;
  std::unordered_map<std::string, Kept> kept_;  ///< by a hash of the question, which may be long
  std::unordered_map<uint64_t, Waiting> waiting_;
  std::unordered_map<std::string, uint64_t> asked_;  ///< a question that is under way is not asked twice
  uint64_t last_id_ = 0;
  uint64_t now_ms_ = 0;
};

}  // namespace kilat::auth
