#include "embed/runtime.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "config/credentials.h"
#include "config/load.h"
#include "config/log_start.h"
#include "config/namespaces.h"
#include "embed/shard_side.h"

namespace kilat::embed {
namespace {

/// Threads that are made meanwhile get no signals: these are for the program's own.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

// OpenSSL writes with write(2). A program that handles SIGPIPE itself keeps its handler.
void ignore_broken_pipes() {
  struct sigaction now{};
  if (sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) signal(SIGPIPE, SIG_IGN);
}

std::string text_for(AppCredentials app) {
  if (app.key.empty()) app.key = config::fresh_key();
  if (app.secret.empty()) app.secret = config::fresh_secret();
  std::string text = "[metrics]\nlisten = \"\"\n[[app]]\n";
  text += "id = " + json::serialize(json::string(app.id)) + "\n";
  text += "key = " + json::serialize(json::string(app.key)) + "\n";
  text += "secret = " + json::serialize(json::string(app.secret)) + "\n";
  return text;
}

}  // namespace

std::expected<config::Settings, std::string> Runtime::settings() const {
  config::LoadRequest request;
  if (!options_.file.empty()) {
    request.file = options_.file;
  } else {
    request.text = options_.text.empty() ? text_for(options_.app) : options_.text;
  }
  const auto set = [&request](const std::string& key, std::string value) {
    request.flags.push_back({.key = key, .value = std::move(value), .from = "Options: " + key});
  };
  if (!options_.host.empty()) set("server.host", options_.host);
  if (options_.port) set("server.port", std::to_string(*options_.port));
  if (options_.shards != 0) set("server.shards", std::to_string(options_.shards));
  for (const auto& [key, value] : options_.settings) set(key, value);
  auto loaded = config::load(request);
  if (!loaded) return std::unexpected(config::render(loaded.error()));
  config::Settings settings = std::move(loaded->settings);
  // What a program speaks of is there.
  for (const std::string& name : link_->names()) {
    if (name == "/") continue;
    const bool known = std::ranges::any_of(settings.socketio.namespaces, [&name](const std::string& entry) {
      return config::parse_namespace(entry).name == name;
    });
    if (!known) settings.socketio.namespaces.push_back(name);
  }
  return settings;
}

std::expected<void, std::string> Runtime::start() {
  if (server_) return std::unexpected("the server was started before");
  auto loaded = settings();
  if (!loaded) return std::unexpected(std::move(loaded.error()));
  static std::once_flag logging;
  std::call_once(logging, [&] { config::start_log(loaded->log); });
  ignore_broken_pipes();
  link_->seal();
  pusher_->sealed = true;
  routes_->sealed = true;
  if (!loaded->apps.empty()) {
    const hub::AppSettings& app = loaded->apps.front();
    credentials_ = {.id = app.id, .key = app.key, .secret = app.secret};
  }
  const SignalsBlocked blocked;
  app::Server::StartOptions options;
  options.program = this;
  Result<std::unique_ptr<app::Server>> server = app::Server::start(std::move(*loaded), options);
  if (!server) {
    const Error& error = server.error();
    return std::unexpected(error.detail.empty() ? std::string(reason_row(error.reason).text) : error.detail);
  }
  server_ = std::move(*server);
  shards_ = server_->shards();
  const std::lock_guard lock(mutex_);
  running_ = true;
  for (RepeatingPtr& timer : before_start_) {
    post([timer = std::move(timer)](ShardSide& side) mutable { side.begin(std::move(timer)); });
  }
  before_start_.clear();
  return {};
}

AppCredentials Runtime::credentials() const {
  return credentials_;
}

std::unique_ptr<app::ShardProgram> Runtime::join(app::Shard& shard) {
  return std::make_unique<ShardSide>(shard, link_, pusher_, routes_);
}

bool Runtime::post(io::detail::Link::Task task) {
  const uint32_t shard = next_.fetch_add(1, std::memory_order_relaxed) % shards_;
  return link_->post(static_cast<hub::ShardIndex>(shard), std::move(task));
}

TimerHandle Runtime::repeat(std::chrono::milliseconds first, std::chrono::milliseconds interval,
                            std::function<void()> function) {
  auto timer = std::make_unique<Repeating>();
  timer->first_ms = static_cast<uint64_t>(std::max<int64_t>(1, first.count()));
  timer->interval_ms = static_cast<uint64_t>(std::max<int64_t>(0, interval.count()));
  timer->function = std::move(function);
  TimerHandle handle(timer->cancelled);
  const std::lock_guard lock(mutex_);
  if (!running_) {
    before_start_.push_back(std::move(timer));
  } else {
    post([timer = std::move(timer)](ShardSide& side) mutable { side.begin(std::move(timer)); });
  }
  return handle;
}

}  // namespace kilat::embed
