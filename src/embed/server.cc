#include "kilat/server.h"

#include <pthread.h>
#include <signal.h>

#include <cstdio>
#include <thread>

#include "base/json_text.h"
#include "embed/runtime.h"
#include "embed/shard_side.h"
#include "hub/channel_name.h"
#include "hub/event_name.h"
#include "ws/utf8.h"

namespace kilat {

Server::Server(Options options)
    : link_(std::make_shared<io::detail::Link>()),
      pusher_(std::make_unique<PusherHooks>()),
      http_(std::make_unique<web::Routes>()),
      runtime_(std::make_unique<embed::Runtime>(std::move(options), link_, pusher_->table(), http_->table())) {}

Server::~Server() {
  stop();
  join();
  runtime_.reset();
  link_->forget_handlers();
}

std::expected<void, std::string> Server::start() {
  return runtime_->start();
}

int Server::run() {
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGINT);
  sigaddset(&wanted, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &wanted, nullptr);
  if (const auto started = start(); !started) {
    std::fprintf(stderr, "%s\n", started.error().c_str());
    return 1;
  }
  int signal = 0;
  sigwait(&wanted, &signal);
  drain();
  join();
  return 0;
}

void Server::drain() {
  if (runtime_->server() != nullptr) runtime_->server()->drain();
}

void Server::stop() {
  if (runtime_->server() != nullptr) runtime_->server()->stop();
}

void Server::join() {
  if (runtime_->server() != nullptr) runtime_->server()->join();
}

std::uint16_t Server::port() const {
  return runtime_->server() != nullptr ? runtime_->server()->port() : 0;
}

AppCredentials Server::app() const {
  return runtime_->credentials();
}

std::uint32_t Server::connections() const {
  return runtime_->server() != nullptr ? runtime_->server()->connections() : 0;
}

io::Namespace Server::io(std::string_view name) {
  std::string full(name);
  if (!full.starts_with('/')) full.insert(full.begin(), '/');
  if (!link_->sealed()) link_->handlers(full);
  return {link_, std::move(full)};
}

bool Server::publish(std::string_view app_id, std::string_view channel, std::string_view event, const json::value& data,
                     std::string_view except_socket) {
  const std::string text = data.is_string() ? std::string(data.get_string()) : json::serialize(data);
  if (!ws::is_utf8(text) || !hub::valid_channel_name(channel, false) || hub::reserved_by_socketio(event)) return false;
  hub::SocketId except;
  if (!except_socket.empty()) {
    const auto parsed = hub::SocketId::parse(except_socket);
    if (!parsed) return false;
    except = *parsed;
  }
  const auto publish_on = [](embed::ShardSide& side, const std::string& app_name, std::string_view to,
                             std::string_view name, const std::string& json_text, hub::SocketId exclude) {
    const hub::App* app = side.shard().apps().by_id(app_name);
    if (app == nullptr || !app->present || name.empty() || name.size() > app->settings.event_name_max ||
        to.size() > app->settings.channel_name_max) {
      return false;
    }
    const std::optional<hub::PublishReply> reply = side.shard().hub().publish(hub::Publication::make(
        {.app = app->index, .channel = to, .event = name, .data = json_text, .exclude = exclude}));
    return !reply || reply->refused == Reason::kNone;
  };
  const std::string app_name(app_id);
  const std::string json_text = json_string(text);
  if (embed::ShardSide* side = link_->here()) {
    return publish_on(*side, app_name, channel, event, json_text, except);
  }
  // Always the same shard, so that the order of the caller is kept.
  return link_->post(0, [publish_on, app_name, to = std::string(channel), name = std::string(event), json_text,
                         except](embed::ShardSide& side) { publish_on(side, app_name, to, name, json_text, except); });
}

bool Server::post(std::move_only_function<void()> task) {
  return runtime_->post([task = std::move(task)](embed::ShardSide& side) mutable { side.guard("post", {}, task); });
}

TimerHandle Server::after(std::chrono::milliseconds delay, std::function<void()> function) {
  return runtime_->repeat(delay, {}, std::move(function));
}

TimerHandle Server::every(std::chrono::milliseconds interval, std::function<void()> function) {
  const auto least = std::max(interval, std::chrono::milliseconds(1));
  return runtime_->repeat(least, least, std::move(function));
}

}  // namespace kilat
