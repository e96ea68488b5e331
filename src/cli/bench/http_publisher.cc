#include <algorithm>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/json_text.h"
#include "cli/bench/clock.h"
#include "cli/bench/publisher.h"

namespace kilat::cli::bench {
namespace {

constexpr uint64_t kRetryNs = 200'000'000;  // between two attempts to connect

class HttpPublisher;

// One kept-alive connection with at most one request on its way.
class HttpConnection final : public Socket {
 public:
  HttpConnection(HttpPublisher& owner, Wire& wire, uint32_t index) : Socket(wire), owner_(owner), index_(index) {}

  bool free(uint64_t now_ns) const { return !request_ && now_ns >= retry_ns_; }
  void publish(uint32_t channel, uint64_t due_ns, uint64_t now_ns);

 private:
  struct Request {
    uint32_t channel = 0;
    uint64_t due_ns = 0;
    uint64_t sent_ns = 0;
    std::string bytes;  // until the connection is there
  };

  void on_open() override { queue(std::exchange(request_->bytes, {})); }
  void on_bytes(std::span<char> bytes) override;
  void on_lost(const std::string& why) override;

  HttpPublisher& owner_;
  uint32_t index_;
  uint64_t retry_ns_ = 0;
  HttpAnswer answer_;
  std::optional<Request> request_;
};

class HttpPublisher final : public Publisher {
 public:
  HttpPublisher(const Plan& plan, Wire& wire, Ledger& ledger, Complaints& complaints)
      : plan_(plan),
        ledger_(ledger),
        complaints_(complaints),
        payload_(plan.run, plan.payload_bytes),
        hmac_(plan.credentials.secret) {
    for (uint32_t i = 0; i < plan.shape.channels; ++i) channels_.push_back(plan.channel_name(i));
    for (uint32_t i = 0; i < plan.shape.publishers; ++i) {
      connections_.push_back(std::make_unique<HttpConnection>(*this, wire, i));
    }
  }

  bool publish(uint64_t due_ns, uint64_t now_ns) override {
    for (size_t tried = 0; tried < connections_.size(); ++tried) {
      HttpConnection& connection = *connections_[next_connection_];
      next_connection_ = (next_connection_ + 1) % connections_.size();
      if (!connection.free(now_ns)) continue;
      const uint32_t channel = next_channel_;
      next_channel_ = next_channel_ + 1 == plan_.shape.channels ? 0 : next_channel_ + 1;
      ++unanswered_;
      connection.publish(channel, due_ns, now_ns);
      return true;
    }
    return false;
  }

  bool has_senders() const override { return true; }
  uint64_t unanswered() const override { return unanswered_; }
  uint64_t refused() const override { return refused_; }
  const Complaint* hopeless() const override { return hopeless_ ? &*hopeless_ : nullptr; }
  const Histogram& answer_ns() const override { return answer_ns_; }

  std::string request(uint32_t publisher, uint32_t channel, uint64_t due_ns, uint64_t now_ns) {
    const uint32_t number = ledger_.publish(publisher, channel, now_ns);
    const std::string_view data = payload_.make({publisher, channel, number, due_ns});
    return event_request(plan_, hmac_, channels_[channel], data, unix_ms() / 1000);
  }

  void on_answer(uint32_t publisher, uint32_t channel, uint64_t due_ns, uint64_t sent_ns, const HttpAnswer& answer) {
    --unanswered_;
    if (answer.status() == 200) {
      ++taken_;
      failures_ = 0;
      answer_ns_.record(monotonic_ns() - due_ns);
      return;
    }
    ++refused_;
    const Complaint complaint = answer.complaint();
    complaints_.add(Stage::kPublish, complaint);
    ledger_.take_back(publisher, channel, sent_ns);
    // 429 and 5xx may pass; another 4xx means that this server takes no event of this kind at all.
    if (taken_ == 0 && complaint.code < 500 && complaint.code != 429) hopeless_ = complaint;
  }

  void on_failure(uint32_t publisher, uint32_t channel, uint64_t sent_ns, bool reached, const std::string& why) {
    --unanswered_;
    ++refused_;
    const Complaint complaint{0, why};
    complaints_.add(Stage::kPublish, complaint);
    // What may have reached the server stays owed: nobody knows.
    if (!reached) ledger_.take_back(publisher, channel, sent_ns);
    if (++failures_ >= 8 * connections_.size()) hopeless_ = complaint;
  }

 private:
  const Plan& plan_;
  Ledger& ledger_;
  Complaints& complaints_;
  PayloadMaker payload_;
  auth::HmacSha256 hmac_;
  std::vector<std::string> channels_;
  std::vector<std::unique_ptr<HttpConnection>> connections_;
  size_t next_connection_ = 0;
  uint32_t next_channel_ = 0;
  uint64_t unanswered_ = 0;
  uint64_t refused_ = 0;
  uint64_t taken_ = 0;
  uint64_t failures_ = 0;  // in a row
  std::optional<Complaint> hopeless_;
  Histogram answer_ns_;
};

void HttpConnection::publish(uint32_t channel, uint64_t due_ns, uint64_t now_ns) {
  std::string bytes = owner_.request(index_, channel, due_ns, now_ns);
  request_ = {channel, due_ns, now_ns, {}};
  answer_ = HttpAnswer();
  if (is_open()) return queue(bytes);
  request_->bytes = std::move(bytes);
  open();
}

void HttpConnection::on_bytes(std::span<char> bytes) {
  if (!request_) return;
  if (!answer_.feed(bytes)) {
    close();
    return on_lost("the answer is not HTTP");
  }
  if (!answer_.complete()) return;
  const Request request = *std::exchange(request_, std::nullopt);
  if (!answer_.keep_alive()) close();
  owner_.on_answer(index_, request.channel, request.due_ns, request.sent_ns, answer_);
}

void HttpConnection::on_lost(const std::string& why) {
  if (!request_) return;  // an idle connection that the server ended: the next request opens another
  const Request request = *std::exchange(request_, std::nullopt);
  retry_ns_ = monotonic_ns() + kRetryNs;
  owner_.on_failure(index_, request.channel, request.sent_ns, request.bytes.empty(), why);
}

}  // namespace

std::unique_ptr<Publisher> make_http_publisher(const Plan& plan, Wire& wire, Ledger& ledger, Complaints& complaints) {
  return std::make_unique<HttpPublisher>(plan, wire, ledger, complaints);
}

// The parameters stand in the order of the alphabet, as they must be signed (Pusher HTTP API, "Authentication"), and
// none needs escaping but the key.
std::string event_request(const Plan& plan, auth::HmacSha256& hmac, std::string_view channel, std::string_view data,
                          uint64_t unix_seconds) {
  std::string body = R"({"name":"bench","channels":[")";
  body.append(channel).append(R"("],"data":)");
  append_json_string(body, data);
  body += '}';

  const std::string path = "/apps/" + plan.app_id + "/events";
  const std::string rest =
      "&auth_timestamp=" + std::to_string(unix_seconds) + "&auth_version=1.0&body_md5=" + auth::md5_hex(body);
  const std::string& key = plan.credentials.key;
  const std::string signature = hmac.hex("POST\n" + path + "\nauth_key=" + key + rest);

  std::string out = "POST " + plan.path_prefix + path + "?auth_key=" + percent_encoded(key) + rest;
  out += "&auth_signature=" + signature + " HTTP/1.1\r\nHost: " + plan.authority();
  out += "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  return out + body;
}

}  // namespace kilat::cli::bench
