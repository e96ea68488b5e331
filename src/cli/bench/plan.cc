#include "cli/bench/plan.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>
#include <optional>

#include "config/text_rules.h"

namespace kilat::cli::bench {
namespace {

// Pusher and its likes allow each client ten events a second.
constexpr uint64_t kClientEventsPerSecond = 10;
constexpr uint64_t kRateMax = 10'000'000;

std::unexpected<Failure> refuse(std::string why, std::vector<std::string> remedies = {}) {
  return std::unexpected(Failure{"cannot run the benchmark", {}, std::move(why), std::move(remedies)});
}

using CurlUrl = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

std::string url_part(const CurlUrl& url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url.get(), part, &text, flags) != CURLUE_OK) return {};
  std::string out(text);
  curl_free(text);
  return out;
}

// Scheme, host, port and path prefix of `text` into `plan`.
std::optional<Failure> take_url(const std::string& text, Plan& plan) {
  const CurlUrl url(curl_url(), &curl_url_cleanup);
  Failure bad{"cannot run the benchmark",
              fit_for_terminal(text),
              "this is no address",
              {"--url ws://HOST:PORT", "--url wss://HOST:PORT"}};
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) return bad;
  const std::string scheme = url_part(url, CURLUPART_SCHEME);
  plan.tls = scheme == "wss" || scheme == "https";
  if (!plan.tls && scheme != "ws" && scheme != "http") return bad;
  if (!plan.tls && (!plan.ca.empty() || plan.insecure)) {
    bad.why = "--ca and --insecure are for TLS, and this address is plain";
    bad.remedies = {"--url wss://HOST:PORT"};
    return bad;
  }
  plan.host = url_part(url, CURLUPART_HOST);
  if (plan.host.starts_with('[')) plan.host = plan.host.substr(1, plan.host.size() - 2);
  const std::string port = url_part(url, CURLUPART_PORT);
  plan.port = plan.tls ? 443 : 80;
  std::from_chars(port.data(), port.data() + port.size(), plan.port);
  plan.path_prefix = url_part(url, CURLUPART_PATH);
  while (plan.path_prefix.ends_with('/')) plan.path_prefix.pop_back();
  return std::nullopt;
}

std::optional<Failure> find_server(const Options& options, Plan& plan) {
  TargetOptions target = options.target;
  if (!options.host.empty() || options.port != 0) {
    if (!target.url.empty()) return refuse("--url already names host and port").error();
    const std::string host = options.host.empty() ? "127.0.0.1" : options.host;
    target.url = "ws://" + config::join_listen(host, options.port == 0 ? uint16_t{6001} : options.port);
  }
  // Client events need no app id: with the rest given, no configuration must be there.
  if (plan.via == Via::kClientEvents && !target.url.empty() && !target.key.empty() && !target.secret.empty() &&
      target.app.empty()) {
    target.app = "-";
  }
  const auto found = find_target(target);
  if (!found) return found.error();
  plan.app_id = found->app_id;
  plan.credentials = found->credentials;
  return take_url(found->url, plan);
}

std::optional<Failure> take_rate(const Options& options, Plan& plan) {
  if (options.rate == "max") return std::nullopt;
  const char* end = options.rate.data() + options.rate.size();
  const auto [at, code] = std::from_chars(options.rate.data(), end, plan.rate);
  if (code != std::errc{} || at != end || plan.rate == 0 || plan.rate > kRateMax) {
    return refuse("--rate takes a whole number of publishes a second, up to 10000000, or max").error();
  }
  return std::nullopt;
}

// As many publishers as the usual limit of client events asks for, at least one a channel, within the books' bound.
uint32_t default_publishers(const Plan& plan) {
  const LedgerShape& shape = plan.shape;
  const uint64_t wanted = plan.rate == 0 ? 16 : (plan.rate + kClientEventsPerSecond - 1) / kClientEventsPerSecond;
  const uint64_t heard_max = std::max<uint64_t>(kStreamsMax / shape.connections, 1);
  const uint64_t most = std::min<uint64_t>(shape.connections, heard_max * shape.channels);
  return static_cast<uint32_t>(std::clamp<uint64_t>(wanted, std::min<uint64_t>(shape.channels, most), most));
}

std::optional<Failure> take_shape(const Options& options, Plan& plan) {
  LedgerShape& shape = plan.shape;
  shape = {options.connections, options.channels, options.http_connections, plan.via == Via::kClientEvents};
  if (shape.channels > shape.connections) return refuse("every channel needs a connection that reads it").error();
  if (shape.own_channel) {
    if (shape.connections < 2 * shape.channels) {
      return refuse("with client events every channel needs two connections: a sender does not get its own events",
                    {"--connections " + std::to_string(2 * shape.channels), "--via http"})
          .error();
    }
    shape.publishers = options.publishers == 0 ? default_publishers(plan) : options.publishers;
    if (shape.publishers > shape.connections) return refuse("--publishers is above --connections").error();
  } else if (options.publishers != 0) {
    return refuse("--publishers is for client events", {"--http-connections"}).error();
  }
  if (uint64_t{shape.connections} * shape.publishers_heard() > kStreamsMax) {
    return refuse("connections times publishers of a channel is above " + std::to_string(kStreamsMax),
                  {shape.own_channel ? "--publishers N" : "--http-connections N", "--channels N"})
        .error();
  }
  return std::nullopt;
}

uint64_t to_ns(double seconds) {
  return static_cast<uint64_t>(seconds * 1e9);
}

}  // namespace

std::string Plan::channel_name(uint32_t index) const {
  char text[40];
  std::snprintf(text, sizeof text, "bench-%08x-%06u", run, index);
  return via == Via::kClientEvents ? std::string("private-") + text : text;
}

std::string Plan::authority() const {
  return config::join_listen(host, port);
}

std::string Plan::url() const {
  return (tls ? "wss://" : "ws://") + authority() + path_prefix;
}

Outcome<Plan> make_plan(const Options& options, uint32_t run) {
  Plan plan;
  plan.run = run;
  plan.via = options.via == "http" ? Via::kHttp : Via::kClientEvents;
  plan.ca = options.ca;
  plan.insecure = options.insecure;
  plan.payload_bytes = options.payload_bytes;
  plan.window = options.window;
  plan.connect_rate = options.connect_rate;
  plan.duration_ns = to_ns(options.duration_s);
  plan.warmup_ns = to_ns(options.warmup_s);
  plan.drain_ns = to_ns(options.drain_s);
  if (auto failure = take_rate(options, plan)) return std::unexpected(std::move(*failure));
  if (auto failure = take_shape(options, plan)) return std::unexpected(std::move(*failure));
  if (auto failure = find_server(options, plan)) return std::unexpected(std::move(*failure));
  return plan;
}

}  // namespace kilat::cli::bench
