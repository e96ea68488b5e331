#include "cli/api_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "base/clock.h"
#include "net/curl_start.h"

namespace kilat::cli {

struct ApiClient::Transfer {
  CURL* curl = nullptr;
  std::string body;
  std::function<void(std::string_view)> on_bytes;  // empty: collect
};

namespace {

struct HeaderList {
  curl_slist* list = nullptr;
  ~HeaderList() { curl_slist_free_all(list); }
  void add(const char* line) { list = curl_slist_append(list, line); }
};

// The server's own words where it is ours ({"error":"…"}), else the first line of what some other server said.
std::string words_of(std::string_view body) {
  boost::system::error_code code;
  const auto parsed = boost::json::parse({body.data(), body.size()}, code);
  const auto* object = code ? nullptr : parsed.if_object();
  const auto* error = object == nullptr ? nullptr : object->if_contains("error");
  if (error != nullptr && error->is_string()) body = {error->get_string().data(), error->get_string().size()};
  return fit_for_terminal(body.substr(0, std::min<size_t>(body.find('\n'), 200)));
}

}  // namespace

ApiClient::ApiClient(ApiTarget target) : target_(std::move(target)) {
  net::start_curl();
  while (!target_.url.empty() && target_.url.back() == '/') target_.url.pop_back();
  curl_ = curl_easy_init();
}

ApiClient::~ApiClient() {
  curl_easy_cleanup(curl_);
}

Outcome<ApiAnswer> ApiClient::send(const ApiRequest& request) {
  Transfer transfer;
  return perform(request, transfer);
}

Outcome<ApiAnswer> ApiClient::post(std::string_view path, const std::string& body) {
  return send({.method = "POST", .path = std::string(path), .body = body});
}

Outcome<ApiAnswer> ApiClient::stream(std::string_view path, const Parameters& parameters,
                                     std::function<void(std::string_view)> on_bytes) {
  Transfer transfer;
  transfer.on_bytes = std::move(on_bytes);
  return perform({.path = std::string(path), .parameters = parameters}, transfer);
}

Outcome<ApiAnswer> ApiClient::perform(const ApiRequest& request, Transfer& transfer) {
  CURL* curl = curl_;
  if (curl == nullptr) return std::unexpected(Failure{"cannot start the HTTP client", {}, "out of memory", {}});
  const std::string path = "/apps/" + target_.app_id + request.path;
  last_url_ = target_.url + path;
  const std::string url =
      last_url_ + "?" +
      signed_query(target_.credentials, request.method, path, request.parameters, request.body, unix_ms() / 1000);
  transfer.curl = curl;

  curl_easy_reset(curl);  // options only: the connection stays open for the next request
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, 5'000L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "kilat");
  curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
  if (!transfer.on_bytes) curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 30'000L);
  HeaderList headers;
  if (request.method == "POST") {
    headers.add(("Content-Type: " + request.content_type).c_str());
    headers.add("Expect:");
    if (!request.idempotency_key.empty()) headers.add(("Idempotency-Key: " + request.idempotency_key).c_str());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.c_str());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.list);
  } else if (request.method != "GET") {
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  curl_write_callback on_data = [](char* data, size_t size, size_t count, void* self) -> size_t {
    auto& current = *static_cast<Transfer*>(self);
    const std::string_view bytes(data, size * count);
    long status = 0;
    curl_easy_getinfo(current.curl, CURLINFO_RESPONSE_CODE, &status);
    if (current.on_bytes && status == 200) {
      current.on_bytes(bytes);
    } else {
      if (current.body.size() + bytes.size() > kAnswerBytesMax) return 0;  // ends the transfer
      current.body.append(bytes);
    }
    return bytes.size();
  };
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);

  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) {
    return std::unexpected(Failure{"no answer from the server",
                                   request.method + " " + last_url_,
                                   curl_easy_strerror(code),
                                   {"kilat serve", "--url http://HOST:PORT if the server is elsewhere"}});
  }
  ApiAnswer answer;
  curl_off_t microseconds = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
  curl_easy_getinfo(curl, CURLINFO_TOTAL_TIME_T, &microseconds);
  answer.elapsed_ms = static_cast<double>(microseconds) / 1000;
  answer.body = std::move(transfer.body);
  return answer;
}

Failure ApiClient::refusal(std::string what, const ApiAnswer& answer) const {
  Failure out{std::move(what), last_url_, "status " + std::to_string(answer.status), {}};
  if (!answer.body.empty()) out.why += ", " + words_of(answer.body);
  switch (answer.status) {
    case 401:
      out.remedies = {"compare key and secret with the server's configuration", "set this machine's clock"};
      break;
    case 404: out.remedies = {"compare the app id, and the path prefix, with the server's configuration"}; break;
    case 429:
    case 503: out.remedies = {"wait a little and try again"}; break;
    default: out.remedies = {"kilat reasons   (explains every refusal)"};
  }
  return out;
}

std::chrono::milliseconds Backoff::next() {
  const auto wait = std::chrono::milliseconds(250) * (1U << std::min(step_, 6U));
  ++step_;
  return std::min(wait, std::chrono::milliseconds(10'000));
}

}  // namespace kilat::cli
