// kilat::Publisher: publishes events to any server that speaks Pusher's HTTP API: Kilat, Pusher, Soketi, Reverb.
//
//   kilat::Publisher publisher({.url = "http://127.0.0.1:6001", .app_id = "app", .key = "k", .secret = "s"});
//   if (auto sent = publisher.trigger("orders", "order.paid", {{"id", 17}}); !sent) std::cerr << sent.error().message;
//
// Threads: one object belongs to one thread at a time; calls block. Connections are kept open between calls.
// Bounds: an answer of 1 MiB; what the server allows of channels, events and bytes is the server's to say.
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kilat {

namespace json = boost::json;

struct PublisherOptions {
  std::string url;  ///< "https://example.org:6001", with the path prefix of the server if it has one
  std::string app_id;
  std::string key;
  std::string secret;
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds timeout{30'000};  ///< of one attempt
  /// Attempts after the first. Tried again is what the server has not published: no connection, 429, 503; with
  /// `retry_lost` also a lost answer, a time-out or another 5xx. All attempts have one idempotency key, so that Kilat
  /// publishes once whatever was lost; a server without such keys may publish twice.
  std::uint32_t retries = 3;
  bool retry_lost = false;
  std::size_t batch_max = 10;  ///< events in one request of trigger_batch(): 10 at Pusher, app.batch_max at Kilat
  std::chrono::milliseconds backoff{250};  ///< before the first retry; doubled each time, up to 10 s
};

/// Why an event was not published.
struct PublishFailure {
  long status = 0;            ///< of HTTP; 0: there was no answer
  std::string message;        ///< of the server, or of the network; never holds the secret
  std::size_t published = 0;  ///< trigger_batch(): how many events were published before, the first ones
};

template <typename Value>
using Published = std::expected<Value, PublishFailure>;

/// One event of a batch.
struct BatchEvent {
  std::string channel;
  std::string name;
  json::value data;
  std::string socket_id = {};  ///< who does not get it; may be empty
};

/// What became of readings.
struct Ingested {
  std::uint64_t accepted = 0;  ///< readings
  std::string job;             ///< its name, for the case that it fails
};

class Publisher {
 public:
  explicit Publisher(PublisherOptions options);
  ~Publisher();
  Publisher(Publisher&&) noexcept;
  Publisher& operator=(Publisher&&) noexcept;

  /// A string is sent as it is, any other value as its JSON text. `socket_id`: a client that does not get the event.
  Published<void> trigger(std::string_view channel, std::string_view event, const json::value& data,
                          std::string_view socket_id = {});
  /// The same event to several channels.
  Published<void> trigger_channels(const std::vector<std::string>& channels, std::string_view event,
                                   const json::value& data, std::string_view socket_id = {});
  /// Several events, batch_max in one request, in order.
  Published<void> trigger_batch(const std::vector<BatchEvent>& events);
  /// Hands readings over to Kilat's durable ingest: one JSON object, or an array of them. Answered when they are on the
  /// server's disk. `idempotency_key` (1 to 128 bytes; empty: a random one) stays the same in all attempts, so these
  /// are made whatever was lost, and the readings are taken once; give one of your own to try again later.
  Published<Ingested> ingest(const json::value& readings, std::string_view idempotency_key = {});
  /// The same for readings as text, one JSON object a line.
  Published<Ingested> ingest_lines(std::string_view lines, std::string_view idempotency_key = {});
  /// The same for a body of POST /apps/ID/ingest as it came from elsewhere: a JSON object, or an array of them.
  Published<Ingested> ingest_text(std::string_view json, std::string_view idempotency_key = {});
  /// Ends the connections of a signed-in user.
  Published<void> terminate_user_connections(std::string_view user_id);
  /// What GET /apps/ID`path` answers, for example "/channels" or "/readings" with {{"sensor", "temp-1"}}. A path is
  /// escaped where it needs to be; values of the query are not.
  Published<json::value> get(std::string_view path, const std::map<std::string, std::string>& query = {});
  /// What another call of the HTTP API answers: "POST" with a body of JSON text, or "DELETE".
  Published<json::value> call(std::string_view method, std::string_view path, std::string_view body = "{}");

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kilat
