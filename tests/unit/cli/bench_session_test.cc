#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/bench/session.h"
#include "ws/buffer.h"
#include "ws/handshake.h"

namespace kilat::cli::bench {
namespace {

constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";  // RFC 6455 section 1.3

class Log final : public SessionHandler {
 public:
  std::vector<std::string> lines;
  std::string sent;

 private:
  bool on_text(std::string_view text) override {
    if (text.find("mine") == std::string_view::npos) return false;
    lines.push_back("text " + std::to_string(text.size()) + " " + std::string(text.substr(0, 60)));
    return true;
  }
  void on_established(std::string_view socket_id, uint32_t activity_timeout_s) override {
    lines.push_back("established " + std::string(socket_id) + " " + std::to_string(activity_timeout_s));
  }
  void on_subscribed() override { lines.emplace_back("subscribed"); }
  void on_subscription_error(const Complaint& complaint) override { lines.push_back("refused " + text_of(complaint)); }
  void on_server_error(const Complaint& complaint) override { lines.push_back("error " + text_of(complaint)); }
  void on_end(const Complaint& complaint) override { lines.push_back("end " + text_of(complaint)); }
  void send(std::string_view bytes) override { sent += bytes; }
};

std::string welcome() {
  return "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
         ws::accept_key(kKey) + "\r\n\r\n";
}

std::string text(std::string_view payload) {
  return ws::encode_frame(ws::Opcode::kText, payload);
}

std::string frame(ws::Opcode opcode, std::string_view payload, bool fin) {
  char header[ws::kFrameHeaderMax];
  const size_t size = ws::encode_frame_header(header, opcode, payload.size(), false, fin);
  return std::string(header, size).append(payload);
}

// Feeds `bytes` in the pieces that `cuts` makes; each piece lies in memory of its own, with room behind it.
Log feed(const std::string& bytes, const std::vector<size_t>& cuts = {}) {
  Log log;
  Session session(log, 100'000);
  session.handshake("h:1", "/app/k", std::string(kKey));
  size_t at = 0;
  for (size_t i = 0; i <= cuts.size(); ++i) {
    const size_t end = i < cuts.size() ? cuts[i] : bytes.size();
    std::vector<char> part(bytes.begin() + static_cast<ptrdiff_t>(at), bytes.begin() + static_cast<ptrdiff_t>(end));
    const size_t size = part.size();
    part.resize(size + ws::kPadding);
    session.feed(std::span(part).first(size));
    at = end;
  }
  return log;
}

// One of everything a server sends: short and long messages, fragments with a ping between them, events, the close.
std::string conversation() {
  return welcome() +
         text(
             R"({"event":"pusher:connection_established","data":"{\"socket_id\":\"12.34\",\"activity_timeout\":30}"})") +
         text(R"({"event":"pusher_internal:subscription_succeeded","channel":"c","data":"{}"})") + text("mine 1") +
         text("mine " + std::string(300, 'x')) + frame(ws::Opcode::kText, "mi", false) +
         ws::encode_frame(ws::Opcode::kPing, "pp") + frame(ws::Opcode::kContinuation, "ne 2", true) +
         text(R"({"event":"pusher:ping","data":{}})") + text(R"({"event":"other","data":5})") + text("not json") +
         ws::encode_frame(ws::Opcode::kBinary, "\x01") + ws::encode_frame(ws::Opcode::kPong, "") +
         text(R"({"event":"pusher:error","data":{"code":4301,"message":"too fast"}})") +
         ws::encode_close(4200, "come again");
}

TEST(BenchSession, WholeConversation_IsUnderstood) {
  const Log log = feed(conversation());
  const std::vector<std::string> expected{"established 12.34 30",
                                          "subscribed",
                                          "text 6 mine 1",
                                          "text 305 mine " + std::string(55, 'x'),
                                          "text 6 mine 2",
                                          "error 4301: too fast",
                                          "end 4200: closed: come again"};
  EXPECT_EQ(log.lines, expected);
  const std::string pong = ws::encode_masked_frame(ws::Opcode::kPong, "pp", 0x4b494c41);
  const std::string pusher_pong = text_frame(R"({"event":"pusher:pong","data":{}})", 0x4b494c41);
  EXPECT_EQ(log.sent, pong + pusher_pong);
}

TEST(BenchSession, EverySplitInTwo_IsHeardAlike) {
  const std::string bytes = conversation();
  const Log whole = feed(bytes);
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    const Log log = feed(bytes, {cut});
    ASSERT_EQ(log.lines, whole.lines) << cut;
    ASSERT_EQ(log.sent, whole.sent) << cut;
  }
}

TEST(BenchSession, ByteByByte_IsHeardAlike) {
  const std::string bytes = conversation();
  std::vector<size_t> cuts;
  for (size_t cut = 1; cut < bytes.size(); ++cut) cuts.push_back(cut);
  EXPECT_EQ(feed(bytes, cuts).lines, feed(bytes).lines);
}

TEST(BenchSession, RefusedHandshake_TellsStatusAndTheServersWords) {
  EXPECT_EQ(feed("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 21\r\n\r\n{\"error\":\"draining\"}").lines,
            std::vector<std::string>{});  // the last byte has not come yet
  EXPECT_EQ(feed("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 20\r\n\r\n{\"error\":\"draining\"}").lines,
            std::vector<std::string>{"end 503: draining"});
  EXPECT_EQ(feed("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").lines,
            std::vector<std::string>{"end 404: Not Found"});
}

TEST(BenchSession, AnswerThatIsNoHandshake_EndsIt) {
  EXPECT_EQ(feed("SSH-2.0-OpenSSH\r\n\r\n").lines,
            std::vector<std::string>{"end the answer to the handshake is not HTTP"});
  EXPECT_EQ(feed("HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: AAAA\r\n\r\n").lines,
            std::vector<std::string>{"end Sec-WebSocket-Accept is wrong"});
}

TEST(BenchSession, EndlessHandshake_IsRefused) {
  const Log log = feed("HTTP/1.1 101 Switching Protocols\r\nX: " + std::string(40'000, 'x'));
  EXPECT_EQ(log.lines, std::vector<std::string>{"end the answer to the handshake is not HTTP"});
}

TEST(BenchSession, MessageOverTheBound_EndsIt) {
  const Log log = feed(welcome() + text(std::string(100'001, 'x')));
  ASSERT_EQ(log.lines.size(), 1U);
  EXPECT_TRUE(log.lines[0].starts_with("end the server broke the WebSocket protocol: ")) << log.lines[0];
}

TEST(BenchSession, MaskedFrameOfAServer_EndsIt) {
  const Log log = feed(welcome() + text_frame("mine", 1));
  ASSERT_EQ(log.lines.size(), 1U);
  EXPECT_TRUE(log.lines[0].starts_with("end the server broke the WebSocket protocol: ")) << log.lines[0];
}

TEST(BenchSession, RefusedSubscription_TellsStatusAndText) {
  const auto refused = [](std::string_view data) {
    return feed(welcome() +
                text(R"({"event":"pusher:subscription_error","channel":"c","data":)" + std::string(data) + "}"))
        .lines;
  };
  using Lines = std::vector<std::string>;
  EXPECT_EQ(refused(R"({"type":"AuthError","error":"bad signature","status":401})"),
            Lines{"refused 401: bad signature"});
  EXPECT_EQ(refused(R"("{\"type\":\"AuthError\"}")"), Lines{"refused AuthError"});
  EXPECT_EQ(refused("7"), Lines{"refused the subscription was refused"});
}

TEST(BenchSession, Established_WithDataAsAnObject_IsUnderstood) {
  const Log log = feed(welcome() + text(R"({"event":"pusher:connection_established","data":{"socket_id":"1.2"}})"));
  EXPECT_EQ(log.lines, std::vector<std::string>{"established 1.2 0"});
}

TEST(BenchSession, Handshake_CarriesWhatRfc6455Asks) {
  Log log;
  Session session(log, 1'000);
  const std::string request = session.handshake("127.0.0.1:6001", "/app/key?protocol=7", std::string(kKey));
  EXPECT_TRUE(request.starts_with("GET /app/key?protocol=7 HTTP/1.1\r\nHost: 127.0.0.1:6001\r\n"));
  EXPECT_NE(request.find("Sec-WebSocket-Key: " + std::string(kKey) + "\r\n"), std::string::npos);
  EXPECT_TRUE(request.ends_with("\r\n\r\n"));
}

TEST(BenchSession, HandshakeKeys_AreWhatServersAccept) {
  for (const uint64_t random : {uint64_t{0}, ~uint64_t{0}, uint64_t{0x0123'4567'89ab'cdef}}) {
    const std::string key = make_handshake_key(random, ~random / 3);
    const ws::UpgradeHeaders headers{"GET", "websocket", "Upgrade", key, "13", true};
    EXPECT_EQ(ws::check_upgrade(headers), Reason::kNone) << key;
  }
  EXPECT_NE(make_handshake_key(1, 2), make_handshake_key(1, 3));
}

}  // namespace
}  // namespace kilat::cli::bench
