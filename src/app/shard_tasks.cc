// What the thread of Ops has a shard do: signs of life, figures, reloads. Part of Shard, on the shard's thread, except
// for post().
#include <sys/epoll.h>

#include <algorithm>
#include <new>
#include <optional>
#include <utility>

#include "api/answer.h"
#include "app/ingest.h"
#include "app/ops.h"
#include "app/shard.h"
#include "app/shard_limits.h"
#include "app/token_keys.h"
#include "base/memory_reserve.h"
#include "http/uri.h"
#include "metrics/exposition.h"

namespace kilat::app {

bool Shard::post(TaskQueue::Task task) {
  if (!tasks_.post(std::move(task))) return false;
  wakeup_.notify();
  return true;
}

void Shard::beat() {
  Health::Pulse& pulse = common_.health.pulse(index_);
  pulse.missed.store(0, std::memory_order_relaxed);
  pulse.outbox_bytes.store(reactor_.cost() + reactor_.input_bytes(), std::memory_order_relaxed);
  pulse.accepting.store(!listener_resting(), std::memory_order_relaxed);
}

ShardSnapshot Shard::snapshot() const {
  ShardSnapshot out;
  out.local = hub_.local().tallies();
  out.home = hub_.home().tallies();
  out.sessions = pusher_.tallies;
  out.socketio = socketio_.tally;
  out.socketio_app = socketio_.options.namespaces.front().app;
  out.api = service_.tallies();
  out.traffic = traffic_;
  out.message_refusals = pusher_.refusals;
  out.connections = connections_.size();
  out.received_bytes = reactor_.bytes_received();
  out.sent_bytes = reactor_.bytes_sent();
  out.send_calls = reactor_.send_calls();
  out.outbox_bytes = reactor_.cost();
  out.input_bytes = reactor_.input_bytes();
  out.slow_connections = reactor_.slow_count();
  out.mailbox_messages = mailbox_.waiting();
  out.mailbox_spilled = mailbox_.spilled();
  out.mailbox_spills = mailbox_.spills();
  out.cached_bytes = hub_.home().cached_bytes();
  out.history_bytes = hub_.home().history_bytes();
  for (size_t app = 0; app < apps_.size(); ++app) {
    out.flow.push_back(hub_.home().flow_counters(static_cast<hub::AppIndex>(app)));
  }
  out.local_channels = hub_.local().channel_count();
  out.home_channels = hub_.home().channel_count();
  out.pending_requests = service_.pending();
  out.linger_us = linger_.linger_us();
  out.accepting = !listener_resting();
  out.draining = draining_;
  return out;
}

bool Shard::send(auth::BackendTransport::Request request) {
  if (common_.http_client == nullptr) return false;
  constexpr size_t kAnswerBytesMax = 64 * 1024;
  net::HttpClient::Request post_form{.method = "POST",
                                     .url = std::move(request.url),
                                     .headers = std::move(request.headers),
                                     .body = std::move(request.form),
                                     .timeout_ms = request.timeout_ms,
                                     .answer_bytes_max = kAnswerBytesMax};
  post_form.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
  post_form.headers.emplace_back("Accept", "application/json");
  return common_.http_client->submit(std::move(post_form), [this, id = request.id](net::HttpClient::Response response) {
    // On the thread of the client. Shards outlive it.
    post([this, id, response = std::move(response)] {
      backend_.on_answer(id, response.status, response.status == 0 ? response.error : response.body);
    });
  });
}

void Shard::on_circuit(uint32_t app, bool open, long status, std::string_view why) try {
  const hub::AppSettings& settings = apps_[static_cast<hub::AppIndex>(app)].settings;
  const std::string url = http::shown_url(settings.authorize.url);
  if (!open) return log::event(log::Level::kInfo, "backend_back", {{"app", settings.id}, {"url", url}});
  const std::string cause = status == 0 ? std::string(why) : "status " + std::to_string(status);
  log::event(log::Level::kWarn, "backend_unavailable", {{"app", settings.id}, {"url", url}, {"why", cause}});
} catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): those who wait must hear all the same
}

void Shard::add_apps(const std::vector<hub::AppTable::Newcomer>& newcomers) {
  const memory::MustSucceed extending;  // the tables of all shards must stay alike
  apps_.extend(newcomers);
  hub_.apps_added();
  access_.apps_changed();
  pusher_.apps_changed();
  set_readers();
}

uint64_t Shard::apply(std::shared_ptr<const config::Settings> next) {
  const memory::MustSucceed applying;
  settings_ = std::move(next);
  reactor_.set_limits(outbox_limits(settings_->limits));
  linger_.set_max(settings_->limits.linger_ms_max * 1'000);
  pusher_.limits = pusher_limits(*settings_);
  service_.set_strict_channel_names(settings_->server.strict_channel_names);
  const std::vector<hub::AppIndex> closing = apps_.apply(settings_->apps);
  hub_.apps_changed();
  hub_.set_limits(home_limits(settings_->limits));
  access_.apps_changed();
  pusher_.apps_changed();
  set_readers();
  for (const hub::AppIndex app : closing) socketio_.close_app(app);
  if (closing.empty()) return 0;

  uint64_t closed = 0;
  for (size_t i = connections_.size(); i-- > 0;) {
    Connection& connection = *connections_[i];
    std::optional<hub::AppIndex> index;
    if (const hub::App* app = connection.app()) index = app->index;
    if (const auto tail = tails_.find(&connection.stream()); tail != tails_.end()) index = tail->second;
    if (!index || std::ranges::find(closing, *index) == closing.end()) continue;
    connection.close(apps_[*index].present ? Reason::kAppDisabled : Reason::kAppUnknown);
    ++closed;
  }
  return closed;
}

void Shard::want_keys(uint32_t app, const auth::KeySet* keys) {
  if (common_.token_keys != nullptr) common_.token_keys->want(app, keys);
}

std::optional<http::Response> Shard::answer_ingest(const http::Request& request, const api::ForIngest& what,
                                                   api::Ticket ticket) {
  if (common_.ingest == nullptr) return api::refusal(Reason::kIngestOff);
  return common_.ingest->door(index_).handle(request, what, ticket);
}

Result<std::unique_ptr<IngestUpload>> Shard::begin_upload(const http::Request& request, const hub::App& app,
                                                          api::Ticket ticket) {
  if (common_.ingest == nullptr) return fail(Reason::kIngestOff);
  return common_.ingest->door(index_).begin_upload(request, app, ticket);
}

void Shard::on_piece(api::Ticket ticket, const store::Outcome<store::AcceptedJob>& outcome) {
  if (HttpSession* session = waiting(ticket)) session->on_piece(ticket, outcome);
}

void Shard::go_on(api::Ticket ticket) {
  if (HttpSession* session = waiting(ticket)) session->go_on(ticket);
}

bool Shard::ask_for_metrics(api::Ticket ticket, metrics::Format format) {
  if (common_.ops == nullptr) return false;
  return common_.ops->submit([this, ticket, format, &ops = *common_.ops] {
    post([this, ticket, format, page = ops.metrics(format)]() mutable {
      answer(ticket, {.status = 200,
                      .content_type = metrics::content_type(format),
                      .cache_control = "no-store",
                      .body = std::move(page)});
    });
  });
}

// Connections that the kernel has completed already would be reset when their queue is closed, so they are taken first;
// the drain says goodbye to them like to all others, and they come back to the other process.
void Shard::hand_over_listeners() {
  constexpr int kBacklogTurns = 64;  // of Listener::kAcceptsPerTurn: the whole backlog
  for (const auto& listener : listeners_) {
    for (int i = 0; i < kBacklogTurns; ++i) listener->on_ready(EPOLLIN);
  }
  listeners_.clear();
  admin_listener_.reset();
}

}  // namespace kilat::app
