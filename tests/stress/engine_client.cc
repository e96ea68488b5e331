#include "stress/engine_client.h"

#include <utility>

#include "base/json_parser.h"
#include "stress/wire.h"

namespace kilat::stress {
namespace {

constexpr char kSeparator = '\x1e';
/// Below socketio.message_bytes_max, with room for one more packet.
constexpr size_t kPostBytesMax = 400'000;

}  // namespace

class EngineClient::Ws final : public WsClient {
 public:
  Ws(EngineClient& owner, Poller& poller, uint16_t port, const WsOptions& options)
      : WsClient(poller, port, options), owner_(owner) {}

 private:
  void on_text(std::string_view text) override { owner_.on_ws_text(text); }
  void on_closed() override { owner_.on_ws_closed(); }
  void on_violation(const std::string& what) override { owner_.on_broken(what); }

  EngineClient& owner_;
};

EngineClient::EngineClient(Poller& poller, uint16_t port, const EngineOptions& options)
    : poller_(poller), port_(port), options_(options) {
  if (options.websocket) {
    open_websocket(std::string(kEnginePath) + "websocket");
    return;
  }
  get_ = std::make_unique<HttpClient>(poller, port, options.receive_bytes);
  post_ = std::make_unique<HttpClient>(poller, port);
  poll();
}

EngineClient::~EngineClient() {
  // Nobody is to hear of the answers that do not come.
  state_ = State::kOver;
  if (get_) get_->drop();
  if (post_) post_->drop();
}

void EngineClient::open_websocket(std::string_view path) {
  WsOptions options{.path = std::string(path)};
  options.deflate = options_.deflate;
  options.receive_bytes = options_.receive_bytes;
  ws_ = std::make_unique<Ws>(*this, poller_, port_, options);
  ws_->set_paused(paused_);
}

std::string EngineClient::target() const {
  return std::string(kEnginePath) + "polling" + (sid_.empty() ? "" : "&sid=" + sid_);
}

bool EngineClient::idle() const {
  if (state_ == State::kPolling) return !posting_;
  return state_ == State::kWebSocket && ws_->pings_out() == 0;
}

void EngineClient::send_message(std::string_view message) {
  queue_.push_back("4" + std::string(message));
  flush();
}

void EngineClient::ping_or_upgrade(std::string payload) {
  if (state_ == State::kWebSocket) return ws_->send_ping(std::move(payload));
  if (state_ != State::kPolling) return;
  state_ = State::kProbing;
  open_websocket(std::string(kEnginePath) + "websocket&sid=" + sid_);
  ws_->send_text("2probe");
}

void EngineClient::pause(bool paused) {
  paused_ = paused;
  if (get_) get_->set_paused(paused);
  if (ws_) ws_->set_paused(paused);
}

void EngineClient::finish(uint32_t how) {
  ending_ = true;
  pause(false);
  if (state_ == State::kOver) return;
  if (state_ == State::kPolling) {
    if (how % 2 == 0) queue_.push_back("41");
    queue_.push_back("1");
    said_goodbye_ = true;
    return flush();
  }
  if (state_ != State::kWebSocket) {
    finish_later_ = how;
    return;
  }
  if (how % 5 == 1) return ws_->shutdown_write();
  if (how % 5 == 2) return ws_->send_close();
  if (how % 5 == 3) return ws_->send_text("1");
  if (how % 5 == 4) {
    ws_->send_text("41");
    return ws_->send_close();
  }
  ws_->reset();
  on_cut_off();
  end();
}

// --- from the server

void EngineClient::on_packet(std::string_view packet) {
  if (packet.starts_with('4')) return on_message(packet.substr(1));
  if (packet == "6") return;
  if (packet == "1") return lost("told that it is over");
  if (packet == "2") {
    queue_.emplace_back("3");
    return flush();
  }
  if (packet.starts_with('0') && state_ == State::kOpening) return on_handshake(packet.substr(1));
  on_broken("unexpected packet " + std::string(packet.substr(0, 200)));
}

void EngineClient::on_handshake(std::string_view json) {
  JsonParser parser;
  const auto root = parser.parse_copy(json);
  std::string_view sid;
  if (!root || (*root)["sid"].get(sid) != simdjson::SUCCESS) return on_broken("a handshake without an id");
  sid_ = sid;
  state_ = ws_ ? State::kWebSocket : State::kPolling;
  on_opened();
}

// --- WebSocket

void EngineClient::on_ws_text(std::string_view text) {
  if (state_ != State::kProbing) return on_packet(text);
  if (text != "3probe") return on_broken("the probe was answered with " + std::string(text.substr(0, 200)));
  state_ = State::kSwitching;
  switch_when_free();
}

void EngineClient::on_ws_closed() {
  if (state_ == State::kOver) return;
  lost("its WebSocket was closed, code " + std::to_string(ws_->close_code()));
}

void EngineClient::switch_when_free() {
  if (state_ != State::kSwitching || polling_ || posting_) return;
  state_ = State::kWebSocket;
  ws_->send_text("5");
  get_->reset();
  post_->reset();
  flush();
  if (finish_later_) finish(*finish_later_);
}

// --- polling

void EngineClient::poll() {
  polling_ = true;
  get_->plain_request("GET", target(), {}, [this](int status, std::string_view body) { on_polled(status, body); });
}

void EngineClient::on_polled(int status, std::string_view body) {
  polling_ = false;
  if (state_ == State::kOver) return;
  // The way to the session's shard was full: nothing was taken, and the same is asked again.
  if (status == 503) return poll();
  if (status != 200) return lost("a poll was answered with " + std::to_string(status) + " " + std::string(body));
  while (!body.empty() && state_ != State::kOver) {
    const size_t end = body.find(kSeparator);
    on_packet(body.substr(0, end));
    body.remove_prefix(end == std::string_view::npos ? body.size() : end + 1);
  }
  if (state_ == State::kOver) return;
  if (state_ == State::kSwitching) return switch_when_free();
  poll();
}

void EngineClient::flush() {
  if (state_ == State::kWebSocket) {
    for (const std::string& packet : std::exchange(queue_, {})) ws_->send_text(packet);
    return;
  }
  const bool posts = state_ == State::kPolling || state_ == State::kProbing;
  if (!posts || posting_ || queue_.empty()) return;
  std::string body;
  while (!queue_.empty() && body.size() < kPostBytesMax) {
    if (!body.empty()) body += kSeparator;
    body += queue_.front();
    queue_.pop_front();
  }
  post(std::move(body));
}

void EngineClient::post(std::string body) {
  posting_ = true;
  posted_ = std::move(body);
  post_->plain_request("POST", target(), posted_,
                       [this](int code, std::string_view answer) { on_posted(code, answer); });
}

void EngineClient::on_posted(int status, std::string_view body) {
  posting_ = false;
  if (state_ == State::kOver) return;
  if (status == 503) return post(std::exchange(posted_, {}));
  if (status != 200 || body != "ok") {
    return lost("a POST was answered with " + std::to_string(status) + " " + std::string(body));
  }
  if (said_goodbye_ && queue_.empty()) return end();
  flush();
  switch_when_free();
}

// --- the end

void EngineClient::lost(const std::string& what) {
  if (!ending_) on_broken(what);
  end();
}

void EngineClient::end() {
  if (state_ == State::kOver) return;
  state_ = State::kOver;
  if (get_) get_->reset();
  if (post_) post_->reset();
  if (ws_ && !ws_->ended()) ws_->reset();
  on_over();
}

}  // namespace kilat::stress
