// The HTTP API up to the hub: parsing a request, checking its signature, reading the event in it.
#include <benchmark/benchmark.h>

#include <span>
#include <string>

#include "api/event_body.h"
#include "api/request_auth.h"
#include "auth/hmac.h"
#include "counters.h"
#include "http/request_parser.h"
#include "http/uri.h"

namespace kilat::bench {
namespace {

constexpr uint64_t kNowS = 1'353'088'179;
constexpr std::string_view kSecret = "7ad3773142a6692b25b8";

hub::AppSettings app_settings() {
  hub::AppSettings app;
  app.id = "3";
  app.key = "278d425bdf160c739803";
  app.secret = kSecret;
  return app;
}

/// The body of POST events with `size` bytes of data.
std::string event_body(size_t size) {
  return R"({"name":"order-shipped","channels":["private-shop-17"],"data":")" + std::string(size, 'x') + "\"}";
}

/// What a backend's SDK sends.
std::string signed_request(const std::string& body) {
  const std::string pairs = "auth_key=278d425bdf160c739803&auth_timestamp=" + std::to_string(kNowS) +
                            "&auth_version=1.0&body_md5=" + auth::md5_hex(body);
  const std::string signature = auth::hmac_sha256_hex(kSecret, "POST\n/apps/3/events\n" + pairs);
  return "POST /apps/3/events?" + pairs + "&auth_signature=" + signature +
         " HTTP/1.1\r\nHost: realtime.example.com\r\nUser-Agent: pusher-http-php/7.2.3\r\nAccept: */*\r\n"
         "Content-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

// Requests that follow each other closely: the parser keeps its memory.
void http_parse_pipelined(benchmark::State& state) {
  const std::string bytes = signed_request(event_body(200));
  http::RequestParser parser;
  Counters counters(state);
  for (auto _ : state) {
    std::span<const char> in(bytes);
    if (parser.feed(in) != http::Status::kComplete) return state.SkipWithError("not complete");
    parser.reset();
  }
}
BENCHMARK(http_parse_pipelined);

// Requests with silence between them: an idle connection holds no memory, so it is taken anew.
void http_parse_after_idle(benchmark::State& state) {
  const std::string bytes = signed_request(event_body(200));
  http::RequestParser parser;
  Counters counters(state);
  for (auto _ : state) {
    std::span<const char> in(bytes);
    if (parser.feed(in) != http::Status::kComplete) return state.SkipWithError("not complete");
    parser.release();
  }
}
BENCHMARK(http_parse_after_idle);

void auth_hmac_sha256(benchmark::State& state) {
  auth::HmacSha256 key(kSecret);
  const std::string message(static_cast<size_t>(state.range(0)), 'x');
  Counters counters(state);
  for (auto _ : state) {
    std::string hex = key.hex(message);
    benchmark::DoNotOptimize(hex);
  }
}
BENCHMARK(auth_hmac_sha256)->Arg(150);

// Query, clock, MD5 of the body, signature: all that happens before the body is looked at.
void api_authenticate(benchmark::State& state) {
  const hub::AppTable apps({app_settings()});
  const hub::App& app = apps[0];
  auth::AppKey key(kSecret);
  const std::string bytes = signed_request(event_body(200));
  http::RequestParser parser;
  std::span<const char> in(bytes);
  if (parser.feed(in) != http::Status::kComplete) return state.SkipWithError("not complete");
  const http::Request& request = parser.request();
  Counters counters(state);
  for (auto _ : state) {
    const http::Query query(request.query());
    if (api::authenticate(request, query, {}, app, key, kNowS) != Reason::kNone) return state.SkipWithError("refused");
  }
}
BENCHMARK(api_authenticate);

void api_parse_event(benchmark::State& state) {
  const hub::AppSettings app = app_settings();
  const std::string body = event_body(static_cast<size_t>(state.range(0)));
  const std::string padded = body + std::string(http::kBodyPadding, '\0');
  const std::string_view text = std::string_view(padded).substr(0, body.size());
  api::EventParser parser;
  Counters counters(state);
  for (auto _ : state) {
    const Result<api::Event> event = parser.parse_event(text, app, false);
    if (!event) return state.SkipWithError("refused");
    benchmark::DoNotOptimize(&*event);
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(api_parse_event)->Arg(200)->Arg(4096);

}  // namespace
}  // namespace kilat::bench
