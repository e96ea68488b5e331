#include "cli/bench/session.h"

#include <boost/json.hpp>

#include "base/json_text.h"
#include "base/reason.h"
#include "ws/handshake.h"

namespace kilat::cli::bench {
namespace {

namespace json = boost::json;

constexpr uint32_t kMask = 0x4b494c41;

std::string_view string_in(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains(key);
  if (found == nullptr || !found->is_string()) return {};
  return {found->get_string().data(), found->get_string().size()};
}

int number_in(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains(key);
  if (found == nullptr) return 0;
  boost::system::error_code code;
  const int out = found->to_number<int>(code);
  return code ? 0 : out;
}

// `data` as an object, whether it came as one or, as Pusher's internal events do, as a string that holds one.
json::object data_of(const json::object& message) {
  const json::value* data = message.if_contains("data");
  if (data == nullptr) return {};
  if (data->is_object()) return data->get_object();
  if (!data->is_string()) return {};
  boost::system::error_code code;
  json::value inner = json::parse(data->get_string(), code);
  return !code && inner.is_object() ? inner.get_object() : json::object{};
}

Complaint subscription_complaint(const json::object& data) {
  Complaint out{number_in(data, "status"), std::string(string_in(data, "error"))};
  if (out.code == 0) out.code = number_in(data, "code");
  if (out.text.empty()) out.text = string_in(data, "message");
  if (out.text.empty()) out.text = string_in(data, "type");
  if (out.text.empty()) out.text = "the subscription was refused";
  return out;
}

}  // namespace

Session::Session(SessionHandler& handler, uint32_t message_bytes_max)
    : handler_(handler), reader_({.message_bytes_max = message_bytes_max, .inflater = nullptr, .from_server = true}) {}

std::string Session::handshake(std::string_view host, std::string_view path, std::string_view key) {
  answer_.emplace();
  accept_ = ws::accept_key(key);
  std::string out = "GET ";
  out.append(path).append(" HTTP/1.1\r\nHost: ").append(host);
  out.append("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ");
  out.append(key).append("\r\nUser-Agent: kilat-bench\r\n\r\n");
  return out;
}

void Session::feed(std::span<char> bytes) {
  if (answer_) feed_handshake(bytes);
  while (!ended_ && !answer_) {
    const ws::Event event = reader_.next(bytes);
    if (event.kind == ws::Event::Kind::kNeedMore) return;
    on_event(event);
  }
}

void Session::feed_handshake(std::span<char>& bytes) {
  if (!answer_->feed(bytes)) return end({0, "the answer to the handshake is not HTTP"});
  if (!answer_->complete()) return;
  if (answer_->status() != 101) return end(answer_->complaint());
  if (answer_->header("Sec-WebSocket-Accept") != accept_) return end({0, "Sec-WebSocket-Accept is wrong"});
  answer_.reset();
}

void Session::on_event(const ws::Event& event) {
  const std::string_view payload(event.payload.data(), event.payload.size());
  switch (event.kind) {
    case ws::Event::Kind::kText:
      if (!handler_.on_text(payload)) on_protocol(payload);
      return;
    case ws::Event::Kind::kPing: return handler_.send(ws::encode_masked_frame(ws::Opcode::kPong, payload, kMask));
    case ws::Event::Kind::kClose: return end({event.close_code, "closed: " + std::string(payload)});
    case ws::Event::Kind::kError:
      return end({0, "the server broke the WebSocket protocol: " + std::string(reason_row(event.reason).text)});
    case ws::Event::Kind::kBinary:
    case ws::Event::Kind::kPong:
    case ws::Event::Kind::kNeedMore: return;
  }
}

// Everything that is not a published event: a handful of messages in the life of a connection.
void Session::on_protocol(std::string_view text) {
  boost::system::error_code code;
  const json::value parsed = json::parse(json::string_view(text.data(), text.size()), code);
  if (code || !parsed.is_object()) return;
  const json::object& message = parsed.get_object();
  const std::string_view event = string_in(message, "event");
  const json::object data = data_of(message);
  if (event == "pusher:ping") {
    handler_.send(text_frame(R"({"event":"pusher:pong","data":{}})", kMask));
  } else if (event == "pusher:connection_established") {
    const int timeout_s = number_in(data, "activity_timeout");
    handler_.on_established(string_in(data, "socket_id"), timeout_s > 0 ? static_cast<uint32_t>(timeout_s) : 0);
  } else if (event == "pusher_internal:subscription_succeeded") {
    handler_.on_subscribed();
  } else if (event == "pusher:subscription_error") {
    handler_.on_subscription_error(subscription_complaint(data));
  } else if (event == "pusher:error") {
    handler_.on_server_error({number_in(data, "code"), std::string(string_in(data, "message"))});
  }
}

void Session::end(const Complaint& complaint) {
  ended_ = true;
  answer_.reset();
  handler_.on_end(complaint);
}

std::string make_handshake_key(uint64_t random_high, uint64_t random_low) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (unsigned i = 0; i < 10; ++i) out += kAlphabet[random_high >> (6 * i) & 63];
  for (unsigned i = 0; i < 10; ++i) out += kAlphabet[random_low >> (6 * i) & 63];
  // 16 octets are 21 characters, and two bits of one more whose other four are zero (RFC 4648 section 4).
  out += kAlphabet[random_high >> 60 | (random_low >> 60 & 3) << 4];
  out += kAlphabet[random_low >> 62 << 4];
  return out + "==";
}

std::string text_frame(std::string_view text, uint32_t mask) {
  return ws::encode_masked_frame(ws::Opcode::kText, text, mask);
}

std::string subscribe_message(std::string_view channel, std::string_view auth) {
  std::string out = R"({"event":"pusher:subscribe","data":{"channel":)" + json_string(channel);
  if (!auth.empty()) out += R"(,"auth":)" + json_string(auth);
  return out + "}}";
}

}  // namespace kilat::cli::bench
