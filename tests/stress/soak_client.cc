#include "stress/soak_client.h"

#include <charconv>

#include "stress/wire.h"

namespace kilat::stress {
namespace {

constexpr std::string_view kSocketIdMark = R"(socket_id\":\")";
constexpr std::string_view kControlMark = R"("channel":"control-)";
constexpr std::string_view kDataMark = R"("data":")";

}  // namespace

SoakClient::SoakClient(Poller& poller, uint16_t port, SoakHost& host, uint32_t serial,
                       std::vector<std::string> channels, uint32_t controls)
    : WsClient(poller, port, {.path = std::string(kSocketPath)}),
      host_(host),
      serial_(serial),
      channels_(std::move(channels)),
      last_(controls) {}

void SoakClient::leave(uint32_t how) {
  leaving_ = true;
  if (how == 0) return reset();
  if (how == 1) return shutdown_write();
  send_close();
}

void SoakClient::on_text(std::string_view text) {
  if (leaving_) return;
  if (socket_id_.empty()) {
    const size_t at = text.find(kSocketIdMark);
    if (at == std::string_view::npos) return on_violation("no socket_id: " + std::string(text));
    const size_t begin = at + kSocketIdMark.size();
    socket_id_ = text.substr(begin, text.find('\\', begin) - begin);
    const std::string member = R"({"user_id":"u)" + std::to_string(serial_) + "\"}";
    for (const std::string& channel : channels_) {
      send_text(subscribe_message(channel, socket_id_, channel.starts_with("presence-") ? member : ""));
    }
    return;
  }
  if (text.starts_with(R"({"event":"pusher_internal:subscription_succeeded")")) ++answers_;
  if (text.find("pusher:error") != std::string_view::npos ||
      text.find("subscription_error") != std::string_view::npos) {
    return on_violation("refused: " + std::string(text));
  }
  const size_t at = last_.empty() ? std::string_view::npos : text.find(kControlMark);
  if (at != std::string_view::npos && text.starts_with(R"({"event":"e")")) on_control(text, at + kControlMark.size());
}

// Nothing may be missing, come twice, or come out of order. The first event after joining may have any number.
void SoakClient::on_control(std::string_view text, size_t at) {
  uint32_t control = 0;
  std::from_chars(text.data() + at, text.data() + text.size(), control);
  uint64_t number = 0;
  const size_t data = text.find(kDataMark, at);
  if (data != std::string_view::npos) {
    std::from_chars(text.data() + data + kDataMark.size(), text.data() + text.size(), number);
  }
  if (control >= last_.size() || number == 0) return on_violation("unexpected " + std::string(text));
  uint64_t& last = last_[control];
  if (last != 0 && number != last + 1) {
    on_violation("control-" + std::to_string(control) + ": event " + std::to_string(number) + " follows " +
                 std::to_string(last));
  }
  last = number;
}

void SoakClient::on_closed() {
  if (!leaving_) on_violation("ended by the server, close code " + std::to_string(close_code()));
}

void SoakClient::on_violation(const std::string& what) {
  host_.complain("connection " + std::to_string(serial_) + " (" + socket_id_ + "): " + what);
}

}  // namespace kilat::stress
