#include "kilat/publisher.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "auth/request_signature.h"
#include "base/clock.h"
#include "base/random.h"
#include "net/curl_start.h"

namespace kilat {
namespace {

constexpr size_t kAnswerBytesMax = 1024 * 1024;
constexpr std::chrono::milliseconds kBackoffMax{10'000};
constexpr size_t kWordsMax = 300;

struct Answer {
  long status = 0;
  std::string body;
};

/// An attempt that failed.
struct Miss {
  PublishFailure failure;
  bool unpublished = false;  ///< the server has surely done nothing
  bool worth_it = false;     ///< another attempt may do better
};

size_t take_bytes(char* data, size_t size, size_t count, void* into) {
  auto& body = *static_cast<std::string*>(into);
  if (body.size() + size * count > kAnswerBytesMax) return 0;  // ends the transfer
  body.append(data, size * count);
  return size * count;
}

std::string text_of(const json::value& data) {
  return data.is_string() ? std::string(data.get_string()) : json::serialize(data);
}

// What the server says is wrong: Kilat answers {"error":"…"}, others with plain text.
std::string words_of(const std::string& body) {
  boost::system::error_code code;
  const json::value value = json::parse(body, code);
  const json::object* object = code ? nullptr : value.if_object();
  const json::value* error = object != nullptr ? object->if_contains("error") : nullptr;
  return error != nullptr && error->is_string() ? std::string(error->get_string()) : body.substr(0, kWordsMax);
}

Published<json::value> json_of(const Published<std::string>& body) {
  if (!body) return std::unexpected(body.error());
  boost::system::error_code code;
  json::value value = json::parse(*body, code);
  if (code) return std::unexpected(PublishFailure{.status = 200, .message = "the answer is no JSON"});
  return value;
}

std::string fresh_key() {
  char key[40];
  Random random;
  std::snprintf(key, sizeof key, "%016llx%016llx", static_cast<unsigned long long>(random.next()),
                static_cast<unsigned long long>(random.next()));
  return key;
}

Published<void> without_answer(Published<std::string> answer) {
  if (!answer) return std::unexpected(std::move(answer.error()));
  return {};
}

// Which failures of libcurl came before the request could have been handled.
bool before_the_request(CURLcode code) {
  return code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY ||
         code == CURLE_SSL_CONNECT_ERROR;
}

std::optional<Miss> miss_of(CURLcode code, const Answer& answer) {
  if (code != CURLE_OK) {
    const bool lasting = code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL ||
                         code == CURLE_WRITE_ERROR || code == CURLE_PEER_FAILED_VERIFICATION;
    return Miss{.failure = {.status = 0, .message = curl_easy_strerror(code)},
                .unpublished = before_the_request(code),
                .worth_it = !lasting};
  }
  if (answer.status >= 200 && answer.status < 300) return std::nullopt;
  const bool refused = answer.status == 429 || answer.status == 503;
  return Miss{.failure = {.status = answer.status, .message = words_of(answer.body)},
              .unpublished = refused,
              .worth_it = refused || answer.status >= 500};
}

const auth::Parameters kNoQuery;

/// A request, the same in all attempts.
struct Order {
  std::string_view method;
  const std::string& path;
  const std::string& body;
  std::string_view content_type = "application/json";
  std::string_view idempotency_key = {};  ///< empty: none
  const auth::Parameters& query = kNoQuery;
  bool once = false;  ///< the server does it once, however often it is sent
};

}  // namespace

struct Publisher::Impl {
  explicit Impl(PublisherOptions options_in) : options(std::move(options_in)) {
    net::start_curl();
    while (options.url.ends_with('/')) options.url.pop_back();
    curl = curl_easy_init();
  }
  ~Impl() { curl_easy_cleanup(curl); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  CURLcode attempt(const Order& order, Answer& answer);
  Published<std::string> perform(const Order& order);
  Published<std::string> perform(std::string_view method, const std::string& path, const std::string& body) {
    return perform({.method = method, .path = path, .body = body});
  }
  Published<void> publish(const std::string& path, const json::object& body);
  Published<Ingested> ingest(std::string_view type, const std::string& body, std::string_view key);

  PublisherOptions options;
  CURL* curl = nullptr;  ///< keeps its connections between requests
};

CURLcode Publisher::Impl::attempt(const Order& order, Answer& answer) {
  if (curl == nullptr) return CURLE_FAILED_INIT;
  const std::string full = "/apps/" + options.app_id + order.path;
  // Signed anew each time, because a signature is only good for some minutes.
  const std::string url = options.url + full + "?" +
                          auth::signed_query({.key = options.key, .secret = options.secret}, order.method, full,
                                             order.query, order.body, unix_ms() / 1'000);
  curl_easy_reset(curl);
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(options.timeout.count()));
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "kilat-publisher");
  curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &take_bytes);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
  curl_slist* headers = nullptr;
  if (order.method == "POST") {
    headers = curl_slist_append(headers, ("Content-Type: " + std::string(order.content_type)).c_str());
    if (!order.idempotency_key.empty()) {
      headers = curl_slist_append(headers, ("Idempotency-Key: " + std::string(order.idempotency_key)).c_str());
    }
    headers = curl_slist_append(headers, "Expect:");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, order.body.c_str());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(order.body.size()));
  }
  if (order.method == "DELETE") curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "DELETE");
  const CURLcode code = curl_easy_perform(curl);
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
  curl_slist_free_all(headers);
  return code;
}

Published<std::string> Publisher::Impl::perform(const Order& order) {
  std::chrono::milliseconds wait = options.backoff;
  for (uint32_t tried = 0;; ++tried) {
    Answer answer;
    const CURLcode code = attempt(order, answer);
    std::optional<Miss> miss = miss_of(code, answer);
    if (!miss) return std::move(answer.body);
    const bool safe = miss->unpublished || options.retry_lost || order.method == "GET" || order.once;
    if (!miss->worth_it || !safe || tried >= options.retries) return std::unexpected(std::move(miss->failure));
    std::this_thread::sleep_for(wait);
    wait = std::min(2 * wait, kBackoffMax);
  }
}

// Before it says 503 a server may have published to some of several channels. One that knows keys, as Kilat does,
// leaves these out when it is asked again; others ignore the key.
Published<void> Publisher::Impl::publish(const std::string& path, const json::object& body) {
  const std::string text = json::serialize(body);
  const std::string key = fresh_key();
  return without_answer(perform({.method = "POST", .path = path, .body = text, .idempotency_key = key}));
}

Published<Ingested> Publisher::Impl::ingest(std::string_view type, const std::string& body, std::string_view key) {
  const std::string fresh = fresh_key();
  const std::string path = "/ingest";
  const Published<std::string> answer = perform({.method = "POST",
                                                 .path = path,
                                                 .body = body,
                                                 .content_type = type,
                                                 .idempotency_key = key.empty() ? std::string_view(fresh) : key,
                                                 .once = true});
  if (!answer) return std::unexpected(answer.error());
  boost::system::error_code code;
  const json::value value = json::parse(*answer, code);
  const json::object* object = code ? nullptr : value.if_object();
  const json::value* accepted = object == nullptr ? nullptr : object->if_contains("accepted");
  const json::value* job = object == nullptr ? nullptr : object->if_contains("job");
  if (accepted == nullptr || !accepted->is_int64() || job == nullptr || !job->is_string()) {
    return std::unexpected(PublishFailure{.status = 202, .message = "the answer is not that of Kilat's ingest"});
  }
  return Ingested{static_cast<std::uint64_t>(accepted->get_int64()), std::string(job->get_string())};
}

Publisher::Publisher(PublisherOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Publisher::~Publisher() = default;
Publisher::Publisher(Publisher&&) noexcept = default;
Publisher& Publisher::operator=(Publisher&&) noexcept = default;

Published<void> Publisher::trigger(std::string_view channel, std::string_view event, const json::value& data,
                                   std::string_view socket_id) {
  return trigger_channels({std::string(channel)}, event, data, socket_id);
}

Published<void> Publisher::trigger_channels(const std::vector<std::string>& channels, std::string_view event,
                                            const json::value& data, std::string_view socket_id) {
  json::object body{{"name", event}, {"channels", json::value_from(channels)}, {"data", text_of(data)}};
  if (!socket_id.empty()) body["socket_id"] = socket_id;
  return impl_->publish("/events", body);
}

Published<void> Publisher::trigger_batch(const std::vector<BatchEvent>& events) {
  const size_t at_once = std::max<size_t>(1, impl_->options.batch_max);
  for (size_t begin = 0; begin < events.size(); begin += at_once) {
    json::array batch;
    for (size_t i = begin; i < std::min(begin + at_once, events.size()); ++i) {
      const BatchEvent& event = events[i];
      json::object one{{"name", event.name}, {"channel", event.channel}, {"data", text_of(event.data)}};
      if (!event.socket_id.empty()) one["socket_id"] = event.socket_id;
      batch.push_back(std::move(one));
    }
    if (auto sent = impl_->publish("/batch_events", json::object{{"batch", std::move(batch)}}); !sent) {
      sent.error().published = begin;
      return sent;
    }
  }
  return {};
}

Published<Ingested> Publisher::ingest(const json::value& readings, std::string_view idempotency_key) {
  return impl_->ingest("application/json", json::serialize(readings), idempotency_key);
}

Published<Ingested> Publisher::ingest_lines(std::string_view lines, std::string_view idempotency_key) {
  return impl_->ingest("application/x-ndjson", std::string(lines), idempotency_key);
}

Published<Ingested> Publisher::ingest_text(std::string_view json, std::string_view idempotency_key) {
  return impl_->ingest("application/json", std::string(json), idempotency_key);
}

Published<void> Publisher::terminate_user_connections(std::string_view user_id) {
  const std::string path = "/users/" + auth::percent_encoded(user_id) + "/terminate_connections";
  return without_answer(impl_->perform("POST", path, "{}"));
}

Published<json::value> Publisher::get(std::string_view path, const std::map<std::string, std::string>& query) {
  const std::string target(path);
  return json_of(impl_->perform({.method = "GET", .path = target, .body = {}, .query = query}));
}

Published<json::value> Publisher::call(std::string_view method, std::string_view path, std::string_view body) {
  return json_of(impl_->perform(method, std::string(path), method == "POST" ? std::string(body) : std::string()));
}

}  // namespace kilat
