#include "stress/ws_client.h"

#include <cstring>
#include <vector>

namespace kilat::stress {
namespace {

constexpr uint32_t kMessageBytesMax = 16U << 20;

}  // namespace

WsClient::WsClient(Poller& poller, uint16_t port, const WsOptions& options)
    : Socket(poller, port, options.receive_bytes) {
  std::string request = "GET " + options.path +
                        " HTTP/1.1\r\nHost: stress\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  if (options.deflate) request += "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
  send(request + "\r\n");
}

void WsClient::send_text(std::string_view text, bool fragmented) {
  mask_ = mask_ * 1664525U + 1013904223U;
  if (!fragmented || text.size() < 2) return send(ws::encode_masked_frame(ws::Opcode::kText, text, mask_));
  const size_t half = text.size() / 2;
  send(ws::encode_masked_frame(ws::Opcode::kText, text.substr(0, half), mask_, false, false));
  send(ws::encode_masked_frame(ws::Opcode::kContinuation, text.substr(half), ~mask_));
}

void WsClient::send_ping(std::string payload) {
  send(ws::encode_masked_frame(ws::Opcode::kPing, payload, mask_));
  pings_.push_back(std::move(payload));
}

void WsClient::send_close() {
  if (goodbye_) return;
  goodbye_ = true;
  send(ws::encode_masked_frame(ws::Opcode::kClose, std::string_view("\x03\xe8", 2), mask_));
}

void WsClient::on_bytes(std::span<char> bytes) {
  if (upgraded_) {
    for (std::span<char> in = bytes;;) {
      const ws::Event event = reader_->next(in);
      if (event.kind == ws::Event::Kind::kNeedMore) return;
      on_event(event);
      if (ended() || event.kind == ws::Event::Kind::kError) return;
    }
  }
  head_.append(bytes.data(), bytes.size());
  const size_t end = head_.find("\r\n\r\n");
  if (end == std::string::npos) return;
  std::string rest = head_.substr(end + 4);
  upgrade(head_);
  if (!upgraded_ || rest.empty()) return;
  const size_t size = rest.size();
  rest.append(ws::kPadding, '\0');
  on_bytes({rest.data(), size});
}

void WsClient::upgrade(std::string& head) {
  if (!head.starts_with("HTTP/1.1 101 ")) {
    on_violation("the upgrade was answered with " + head.substr(0, 200));
    return;
  }
  if (head.find("permessage-deflate") != std::string::npos) {
    inflater_ = std::make_unique<ws::Inflater>(ws::kWindowBitsMax, true);
  }
  reader_ = std::make_unique<ws::Reader>(
      ws::ReaderOptions{.message_bytes_max = kMessageBytesMax, .inflater = inflater_.get(), .from_server = true});
  upgraded_ = true;
  head.clear();
}

void WsClient::on_event(const ws::Event& event) {
  const std::string_view payload(event.payload.data(), event.payload.size());
  switch (event.kind) {
    case ws::Event::Kind::kText: return on_text(payload);
    case ws::Event::Kind::kBinary: return on_violation("a binary message");
    case ws::Event::Kind::kPing: return send(ws::encode_masked_frame(ws::Opcode::kPong, payload, mask_));
    case ws::Event::Kind::kPong: {
      if (pings_.empty() || pings_.front() != payload) return on_violation("a pong nobody asked for");
      pings_.pop_front();
      return;
    }
    case ws::Event::Kind::kClose: {
      close_code_ = event.close_code;
      return send_close();
    }
    case ws::Event::Kind::kError:
      return on_violation("a frame against RFC 6455, close code " + std::to_string(event.close_code));
    case ws::Event::Kind::kNeedMore: return;
  }
}

void WsClient::on_end(int) {
  on_closed();
}

}  // namespace kilat::stress
