// Client: speaks HTTP and Pusher to a shard of a World over a fake connection. Says what it is told, and reads what
// comes; it neither steps the shards nor judges.
// Owner: the test.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fake_net/world.h"
#include "ws/deflate.h"
#include "ws/reader.h"

namespace kilat::fake_net {

struct App {
  std::string_view id = "3";
  std::string_view key = "app-key";
};
inline constexpr std::string_view kSecret = "app-secret";

/// One request as bytes, signed as docs/http-api.md asks. `query`: further parameters, "a=b&c=d". `headers`: whole
/// lines.
std::string signed_request(std::string_view method, std::string_view path, std::string_view query,
                           std::string_view body, App app = {}, std::string_view headers = {});
/// The bytes of an upgrade request. `headers`: further lines.
std::string upgrade_request(App app = {}, std::string_view headers = {});
/// A masked text frame.
std::string text_frame(std::string_view text);
std::string ping_frame();
std::string close_frame(uint16_t code);

class Client {
 public:
  Client(World& world, uint32_t shard, App app = {}) : peer_(world.listener(shard)), app_(app) {}
  /// Goes away, as a process that ends.
  ~Client() {
    if (here_) peer_.close();
  }
  Client(Client&& other) noexcept;
  Client& operator=(Client&&) = delete;

  const Peer& peer() const { return peer_; }
  void send(std::string_view bytes) { peer_.send(bytes); }

  // --- HTTP
  void request(std::string_view method, std::string_view path, std::string_view body = {},
               std::string_view query = {}) {
    send(signed_request(method, path, query, body, app_));
  }
  void publish(std::string_view channel, std::string_view data, std::string_view more = {});
  /// Everything received so far that read() has not taken; HTTP answers as they came.
  std::string& bytes();
  /// How many answers with this status are in bytes().
  int answers(int status);

  // --- Pusher
  void upgrade(std::string_view headers = {}) { send(upgrade_request(app_, headers)); }
  void say(std::string_view json) { send(text_frame(json)); }
  /// The message of a subscription, signed where the channel's name asks for it. `member`: channel_data of presence.
  std::string subscription(std::string_view channel, std::string_view member = R"({"user_id":"1"})") const;
  void subscribe(std::string_view channel, std::string_view member = R"({"user_id":"1"})") {
    say(subscription(channel, member));
  }
  void unsubscribe(std::string_view channel);
  void sign_in(std::string_view user_data);
  void client_event(std::string_view channel, std::string_view data);

  /// The messages received since the last call: texts as they are, control frames in angle brackets. Nothing before the
  /// answer to upgrade().
  std::vector<std::string> read();
  /// Whether one of all messages that read() has returned so far contains `text`.
  bool heard(std::string_view text);
  bool upgraded() const { return upgraded_; }
  /// What the server has assigned; empty before.
  const std::string& socket_id() const { return socket_id_; }
  bool ended() const { return peer_.ended(); }

 private:
  std::string sign(std::string_view text) const;

  Peer peer_;
  App app_;
  bool here_ = true;
  std::string bytes_;
  bool upgraded_ = false;
  bool deflates_ = false;
  std::string socket_id_;
  std::vector<std::string> log_;
  std::unique_ptr<ws::Inflater> inflater_;
  std::unique_ptr<ws::Reader> reader_;
};

}  // namespace kilat::fake_net
