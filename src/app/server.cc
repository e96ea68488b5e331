#include "app/server.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <utility>

#include "app/certificates.h"
#include "app/gather.h"
#include "app/handover.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/text_rules.h"
#include "net/descriptor.h"

namespace kilat::app {

Result<std::unique_ptr<Server>> Server::start(config::Settings settings, const StartOptions& options) {
  uint32_t shards = settings.server.shards != 0 ? settings.server.shards : std::thread::hardware_concurrency();
  shards = std::clamp<uint32_t>(shards, 1, hub::kShardsMax);
  std::unique_ptr<Server> server(new Server(std::move(settings), shards, options.program));
  if (auto loaded = server->reload_certificates(); !loaded) return std::unexpected(std::move(loaded.error()));
  TRY(TokenKeys::Files key_files, TokenKeys::read(server->common_.settings.apps));
  if (auto opened = server->open_history(); !opened) return std::unexpected(std::move(opened.error()));
  if (auto opened = server->open_ingest(); !opened) return std::unexpected(std::move(opened.error()));
  TRY([[maybe_unused]] const bool bound, server->bind(options));
  if (server->ingest_) TRY_VOID(server->ingest_->start());
  server->token_keys_->start(server->common_.apps, server->common_.settings.apps, std::move(key_files));
  for (const auto& shard : server->shards_) server->threads_.emplace_back([&shard = *shard] { shard.run(); });
  server->ops_->set_server(server->port_, server->certificate_expires_s_);
  server->ops_->start();
  return server;
}

Server::Server(config::Settings settings, uint32_t shards, Program* program)
    : common_(std::move(settings), shards, program) {
  for (uint32_t i = 0; i < shards; ++i) shards_.push_back(std::make_unique<Shard>(common_, i));
  ops_ = std::make_unique<Ops>(common_, shards_);
  common_.ops = ops_.get();
  token_keys_ = std::make_unique<TokenKeys>(shards_, http_client_);
  common_.token_keys = token_keys_.get();
  common_.http_client = &http_client_;
}

Server::~Server() {
  stop();
  join();
  for (const SocketFile& file : socket_files_) {
    if (net::socket_file_id(file.path) == file.id) std::remove(file.path.c_str());
  }
}

Result<bool> Server::bind(const StartOptions& options) {
  TRY([[maybe_unused]] const bool figures, bind_metrics(options.beside));
  if (!options.sockets.empty()) return bind_inherited(options);
  for (const config::Listen& listen : config::listeners(common_.settings.server)) {
    if (listen.tls && common_.settings.tls.certificate.empty()) {
      return fail(Reason::kTlsFilesInvalid, listen.address() + " needs a certificate");
    }
    const net::ListenerTraits traits{
        .shared = listen.local(), .tls = listen.tls, .proxy_protocol = listen.proxy_protocol};
    TRY([[maybe_unused]] const bool bound,
        listen.local() ? bind_unix(listen, traits, options.beside) : bind_tcp(listen, traits, options.beside));
  }
  return true;
}

// SO_REUSEPORT would let a second server start on the same port unnoticed: the first bind is an exclusive trial.
Result<bool> Server::bind_exclusively(const std::string& host, uint16_t& port, bool beside) {
  if (beside && port != 0) return true;
  int trial = -1;
  TRY(trial, net::listen_on(host, port, false));
  port = net::bound_port(trial);
  net::close_socket(trial);
  return true;
}

Result<bool> Server::bind_metrics(bool beside) {
  const std::string& listen = common_.settings.metrics.listen;
  if (listen.empty()) return true;
  std::string host;
  uint16_t port = 0;
  config::split_listen(listen, host, port);
  const Result<bool> free = bind_exclusively(host, port, beside);
  Result<int> fd = free ? net::listen_on(host, port, true) : std::unexpected(free.error());
  if (fd) {
    metrics_port_ = port;
    shards_.front()->listen(*fd, {.admin = true});
    return true;
  }
  // Nobody asked for the default: a second server on the machine shall start nevertheless.
  if (listen != config::MetricsSettings::kDefaultListen) return std::unexpected(fd.error());
  log::event(log::Level::kWarn, "metrics_unavailable", {{"why", fd.error().detail}, {"setting", "metrics.listen"}});
  return true;
}

Result<bool> Server::bind_inherited(const StartOptions& options) {
  inherited_ = true;
  const std::vector<config::Listen> wanted = config::listeners(common_.settings.server);
  for (size_t i = 0; i < options.sockets.size(); ++i) {
    const net::Descriptor owned(options.sockets[i]);
    net::ListenerTraits traits{.shared = true};
    if (i < wanted.size()) {
      traits.tls = wanted[i].tls;
      traits.proxy_protocol = wanted[i].proxy_protocol;
    }
    for (const auto& shard : shards_) {
      int fd = -1;
      TRY(fd, net::share_socket(options.sockets[i]));
      shard->listen(fd, traits);
    }
    if (!net::is_tcp(options.sockets[i])) continue;
    ports_.push_back(net::bound_port(options.sockets[i]));
    if (port_ == 0) port_ = ports_.back();
  }
  return true;
}

Result<bool> Server::bind_tcp(const config::Listen& listen, const net::ListenerTraits& traits, bool beside) {
  uint16_t port = listen.port;
  TRY([[maybe_unused]] const bool free, bind_exclusively(listen.host, port, beside));
  for (const auto& shard : shards_) {
    int fd = -1;
    TRY(fd, net::listen_on(listen.host, port, true));
    own_inodes_.push_back(inode_of(fd));
    shard->listen(fd, traits);
  }
  if (port_ == 0) port_ = port;
  ports_.push_back(port);
  return true;
}

Result<bool> Server::bind_unix(const config::Listen& listen, const net::ListenerTraits& traits, bool beside) {
  int first = -1;
  TRY(first, net::listen_on_unix(listen.path, listen.mode, beside));
  const net::Descriptor owned(first);
  socket_files_.push_back({listen.path, net::socket_file_id(listen.path)});
  for (const auto& shard : shards_) {
    int fd = -1;
    TRY(fd, net::share_socket(first));
    shard->listen(fd, traits);
  }
  return true;
}

std::vector<config::Listen> Server::listeners() const {
  std::vector<config::Listen> out = config::listeners(common_.settings.server);
  auto port = ports_.begin();
  for (config::Listen& listen : out) {
    if (!listen.local() && port != ports_.end()) listen.port = *port++;
  }
  return out;
}

Result<void> Server::reload_certificates() {
  TRY(const auto context, load_certificates(common_.settings.tls));
  if (!context) return {};
  certificate_expires_s_.store(context->expires_unix_s(), std::memory_order_relaxed);
  for (const auto& shard : shards_) {
    // A shard's first connection may come before it looks at what is posted.
    threads_.empty() ? shard->set_certificates(context) : shard->offer_certificates(context);
  }
  log::event(log::Level::kInfo, "certificates_loaded",
             {{"file", context->expires_first()}, {"expires_unix_s", context->expires_unix_s()}});
  warn_of_expiry(*context, static_cast<int64_t>(unix_ms() / 1'000));
  return {};
}

bool Server::somebody_follows() const {
  return inherited_ || std::ranges::any_of(ports_, [this](uint16_t port) { return others_listen(port, own_inodes_); });
}

void Server::drain() {
  common_.health.start_draining();
  common_.hand_over.store(somebody_follows(), std::memory_order_release);
  ask(Shard::Request::kDrain);
}

ReloadReport Server::reload(const config::Settings& wanted) {
  auto done = std::make_shared<Gather<ReloadReport>>(1);
  const bool taken = ops_->submit([this, done, wanted] { done->put(0, reload_on_ops(wanted)); });
  // Ops gives up on a shard by itself, so this ends.
  const std::optional<ReloadReport> report =
      taken ? done->wait(std::chrono::minutes(5)).front() : std::optional<ReloadReport>();
  if (report) return *report;
  return {.outcome = ReloadReport::Outcome::kRefused, .why = "the server is too busy", .live = {}, .later = {}};
}

// Certificates apart, all that a reload reads is read before anything changes.
ReloadReport Server::reload_on_ops(const config::Settings& wanted) {
  auto files = TokenKeys::read(wanted.apps);
  if (!files) {
    ops_->count_refused_reload();
    return {
        .outcome = ReloadReport::Outcome::kRefused, .why = std::move(files.error().detail), .live = {}, .later = {}};
  }
  ReloadReport report = ops_->reload(wanted);
  if (report.outcome == ReloadReport::Outcome::kRefused) return report;
  token_keys_->apply(common_.apps, wanted.apps, std::move(*files));
  if (ingest_) ingest_->apply(wanted.apps);
  return report;
}

std::string Server::dump_state() {
  auto done = std::make_shared<Gather<std::string>>(1);
  const bool taken = ops_->submit([this, done] { done->put(0, ops_->dump()); });
  if (!taken) return {};
  return done->wait(std::chrono::milliseconds(10 * Ops::kPatienceMs)).front().value_or(std::string());
}

void Server::ask(Shard::Request request) {
  for (const auto& shard : shards_) shard->ask(request);
}

void Server::join() {
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  ops_->stop();
  if (ingest_) ingest_->stop();
  if (history_) history_->stop();
  if (sockets_) sockets_->stop();
}

Result<void> Server::open_history() {
  const std::string& file = common_.settings.history.file;
  if (file.empty()) return {};
  TRY(history_, DurableHistory::open(file, shards_));
  common_.history = history_.get();
  TRY_VOID(history_->restore());
  return open_socket_registry();
}

Result<void> Server::open_socket_registry() {
  const config::Settings& settings = common_.settings;
  if (!settings.socketio.enabled || settings.socketio.recovery_ms == 0) return {};
  TRY(sockets_, SocketRegistry::open(settings.history.file + "-sockets", history_->first_order(), shards_));
  return sockets_->restore();
}

Result<void> Server::open_ingest() {
  const config::IngestFileSettings& settings = common_.settings.ingest;
  if (settings.file.empty()) return {};
  TRY(ingest_, Ingest::open(settings.file, settings.queue_bytes_max, shards_));
  common_.ingest = ingest_.get();
  ingest_->apply(common_.settings.apps);
  return {};
}

}  // namespace kilat::app
