#include "fake_net/client.h"

#include <algorithm>
#include <utility>

#include "auth/hmac.h"
#include "base/json_text.h"
#include "hub/channel_name.h"
#include "unit/signed_target.h"
#include "ws/frame.h"

namespace kilat::fake_net {
namespace {

constexpr uint32_t kMask = 0x37fa213d;

std::string written(const ws::Event& event) {
  const std::string payload(event.payload.data(), event.payload.size());
  switch (event.kind) {
    case ws::Event::Kind::kText: return payload;
    case ws::Event::Kind::kPing: return "<ping>";
    case ws::Event::Kind::kPong: return "<pong>";
    case ws::Event::Kind::kClose: return "<close " + std::to_string(event.close_code) + ">";
    default: return "<broken " + std::string(reason_row(event.reason).id) + ">";
  }
}

}  // namespace

Client::Client(Client&& other) noexcept
    : peer_(other.peer_),
      app_(other.app_),
      here_(std::exchange(other.here_, false)),
      bytes_(std::move(other.bytes_)),
      upgraded_(other.upgraded_),
      deflates_(other.deflates_),
      socket_id_(std::move(other.socket_id_)),
      log_(std::move(other.log_)),
      inflater_(std::move(other.inflater_)),
      reader_(std::move(other.reader_)) {}

std::string signed_request(std::string_view method, std::string_view path, std::string_view query,
                           std::string_view body, App app, std::string_view headers) {
  std::string request = std::string(method) + " " +
                        testing::signed_target(method, path, query, body, app.key, kSecret, unix_s()) +
                        " HTTP/1.1\r\nHost: x\r\n";
  request += headers;
  if (headers.find("Transfer-Encoding") == std::string_view::npos) {
    request += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    request += body;
  } else {
    request += "\r\n";
  }
  return request;
}

std::string upgrade_request(App app, std::string_view headers) {
  return "GET /app/" + std::string(app.key) +
         "?protocol=7 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
         std::string(headers) + "\r\n";
}

std::string text_frame(std::string_view text) {
  return ws::encode_masked_frame(ws::Opcode::kText, text, kMask);
}
std::string ping_frame() {
  return ws::encode_masked_frame(ws::Opcode::kPing, "p", kMask);
}
std::string close_frame(uint16_t code) {
  const char payload[] = {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  return ws::encode_masked_frame(ws::Opcode::kClose, {payload, sizeof payload}, kMask);
}

void Client::publish(std::string_view channel, std::string_view data, std::string_view more) {
  const std::string body =
      R"({"name":"e","channel":)" + json_string(channel) + R"(,"data":)" + json_string(data) + std::string(more) + "}";
  request("POST", "/apps/" + std::string(app_.id) + "/events", body);
}

std::string& Client::bytes() {
  bytes_ += peer_.receive();
  return bytes_;
}

int Client::answers(int status) {
  const std::string head = "HTTP/1.1 " + std::to_string(status) + " ";
  int count = 0;
  for (size_t at = 0; (at = bytes().find(head, at)) != std::string::npos; at += head.size()) ++count;
  return count;
}

std::string Client::sign(std::string_view text) const {
  return std::string(app_.key) + ":" + auth::hmac_sha256_hex(kSecret, text);
}

std::string Client::subscription(std::string_view channel, std::string_view member) const {
  const hub::ChannelKind kind = hub::kind_of(channel);
  std::string json = R"({"event":"pusher:subscribe","data":{"channel":)" + json_string(channel);
  if (kind.needs_signature()) {
    std::string text = socket_id_ + ":" + std::string(channel);
    if (kind.presence()) {
      text += ":" + std::string(member);
      json += R"(,"channel_data":)" + json_string(member);
    }
    json += R"(,"auth":)" + json_string(sign(text));
  }
  return json + "}}";
}

void Client::unsubscribe(std::string_view channel) {
  say(R"({"event":"pusher:unsubscribe","data":{"channel":)" + json_string(channel) + "}}");
}

void Client::sign_in(std::string_view user_data) {
  const std::string auth = sign(socket_id_ + "::user::" + std::string(user_data));
  say(R"({"event":"pusher:signin","data":{"auth":)" + json_string(auth) + R"(,"user_data":)" + json_string(user_data) +
      "}}");
}

void Client::client_event(std::string_view channel, std::string_view data) {
  say(R"({"event":"client-e","channel":)" + json_string(channel) + R"(,"data":)" + json_string(data) + "}");
}

std::vector<std::string> Client::read() {
  std::string& in = bytes();
  if (!upgraded_) {
    const size_t end = in.find("\r\n\r\n");
    if (!in.starts_with("HTTP/1.1 101") || end == std::string::npos) return {};
    upgraded_ = true;
    deflates_ = in.substr(0, end).find("permessage-deflate") != std::string::npos;
    inflater_ = std::make_unique<ws::Inflater>(ws::kWindowBitsMax, true);
    reader_ = std::make_unique<ws::Reader>(ws::ReaderOptions{
        .message_bytes_max = 1 << 24, .inflater = deflates_ ? inflater_.get() : nullptr, .from_server = true});
    in.erase(0, end + 4);
  }
  const size_t size = in.size();
  in.append(ws::kPadding, '\0');
  std::span<char> left(in.data(), size);
  std::vector<std::string> texts;
  for (;;) {
    const ws::Event event = reader_->next(left);
    if (event.kind == ws::Event::Kind::kNeedMore) break;
    texts.push_back(written(event));
    if (event.kind == ws::Event::Kind::kError) break;
  }
  in.clear();
  for (const std::string& text : texts) {
    constexpr std::string_view kMark = R"(\"socket_id\":\")";
    if (const size_t at = text.find(kMark); socket_id_.empty() && at != std::string::npos) {
      const size_t start = at + kMark.size();
      socket_id_ = text.substr(start, text.find('\\', start) - start);
    }
    log_.push_back(text);
  }
  return texts;
}

bool Client::heard(std::string_view text) {
  read();
  return std::ranges::any_of(log_, [text](const std::string& said) { return said.find(text) != std::string::npos; });
}

}  // namespace kilat::fake_net
