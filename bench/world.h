// One shard without its loop: real hub, real Pusher sessions, either on bare outboxes or on streams over socket pairs.
// Owner: one benchmark; one thread.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/sink.h"
#include "hub/shard_hub.h"
#include "net/stream.h"
#include "pusher/formats.h"
#include "pusher/session.h"
#include "unit/hub/test_access.h"
#include "ws/frame.h"

namespace kilat::bench {

inline hub::AppSettings app_settings() {
  hub::AppSettings app;
  app.id = "3";
  app.key = "278d425bdf160c739803";
  app.secret = "7ad3773142a6692b25b8";
  app.client_events = true;
  app.client_events_on_public = true;
  app.client_events_per_second = 0;
  app.client_messages_per_second = 0;
  return app;
}

/// Bytes as they come from the network, with the padding behind them.
class Input {
 public:
  explicit Input(std::string_view text)
      : sent_(ws::encode_masked_frame(ws::Opcode::kText, text, 0x37fa213d)),
        bytes_(sent_.size() + ws::kPadding, '\0') {}
  /// Anew: a session unmasks in place.
  std::span<char> fresh() {
    sent_.copy(bytes_.data(), sent_.size());
    return {bytes_.data(), sent_.size()};
  }

 private:
  std::string sent_;
  std::string bytes_;
};

/// Ends the program when something happens that a benchmark does not expect.
struct NoEnd final : pusher::SessionHost, net::StreamHandler, net::SlowReaderPolicy {
  void finish(Reason) override { std::abort(); }
  void on_bytes(std::span<char>) override { std::abort(); }
  void on_closed(Reason) override {}
  void on_slow_reader(net::StreamHandler&, Reason) override { std::abort(); }
};

class World {
 public:
  static constexpr std::string_view kChannel = "room";

  World()
      : apps_({app_settings()}),
        grid_(1, 4'096),
        mailbox_(grid_, 0, nullptr),
        hub_(apps_, mailbox_, sink_, wheel_),
        rights_(apps_),
        pusher_(apps_, hub_, wheel_, rights_.access, {}),
        reactor_({.hard_bytes = UINT32_MAX}, end_) {}

  hub::ShardHub& hub() { return hub_; }
  net::Reactor& reactor() { return reactor_; }
  std::vector<std::unique_ptr<net::Outbox>>& outboxes() { return outboxes_; }
  std::vector<std::unique_ptr<net::Stream>>& streams() { return streams_; }

  /// A session that reads kChannel, on an outbox that nobody sends.
  pusher::Session& join(hub::Format format = pusher::kTextFormat) {
    outboxes_.push_back(std::make_unique<net::Outbox>(pool_));
    return subscribe(*outboxes_.back(), format);
  }
  /// The same over a socket pair.
  void join_over_socket() {
    int fds[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) std::abort();
    streams_.push_back(std::make_unique<net::Stream>(reactor_, fds[0], static_cast<net::StreamHandler&>(end_)));
    peers_.push_back(fds[1]);
    subscribe(*streams_.back(), pusher::kTextFormat);
  }
  ~World() {
    sessions_.clear();
    streams_.clear();
    for (const int peer : peers_) ::close(peer);
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// Throws away what the sockets' peers have received.
  void read_peers() {
    char buffer[64 * 1024];
    for (const int peer : peers_) {
      while (::recv(peer, buffer, sizeof buffer, 0) > 0) {
      }
    }
  }
  /// Throws away what the bare outboxes hold.
  void empty_outboxes() {
    for (const auto& outbox : outboxes_) outbox->consume(outbox->bytes());
  }

 private:
  pusher::Session& subscribe(net::Outbox& outbox, hub::Format format) {
    const pusher::SessionOptions options{.socket_id = {1, ++last_id_}, .format = format};
    sessions_.push_back(
        std::make_unique<pusher::Session>(pusher_, apps_[0], options, outbox, static_cast<pusher::SessionHost&>(end_)));
    sessions_.back()->open();
    Input subscribe(R"({"event":"pusher:subscribe","data":{"channel":"room"}})");
    sessions_.back()->on_bytes(subscribe.fresh());
    if (sessions_.back()->subscription_count() != 1) std::abort();
    return *sessions_.back();
  }

  NoEnd end_;
  hub::AppTable apps_;
  net::MailGrid<hub::Command> grid_;
  TimerWheel wheel_{0};
  net::Mailbox<hub::Command> mailbox_;
  app::ShardSink sink_;
  hub::ShardHub hub_;
  hub::testing::TestAccess rights_;
  pusher::Shard pusher_;
  net::OutboxPool pool_{{.hard_bytes = UINT32_MAX}};
  net::Reactor reactor_;
  std::vector<std::unique_ptr<net::Outbox>> outboxes_;
  std::vector<std::unique_ptr<net::Stream>> streams_;
  std::vector<int> peers_;
  std::vector<std::unique_ptr<pusher::Session>> sessions_;
  uint64_t last_id_ = 0;
};

}  // namespace kilat::bench
