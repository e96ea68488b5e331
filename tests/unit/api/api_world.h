// The HTTP API without a socket: real hub and services on any number of shards, real request parsing, a host that
// writes answers down. One thread; messages between shards move in World::pump.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "api/service.h"
#include "auth/hmac.h"
#include "http/request_parser.h"
#include "net/outbox.h"
#include "unit/hub/test_access.h"
#include "unit/signed_target.h"

namespace kilat::api::testing {

inline constexpr uint64_t kNowMs = 1'353'088'179'000;  ///< the time of the vectors in docs/http-api.md

inline hub::AppSettings app_settings() {
  hub::AppSettings app;
  app.id = "3";
  app.key = "278d425bdf160c739803";
  app.secret = "7ad3773142a6692b25b8";
  return app;
}

/// A request as it is parsed from the wire. `target`: path and query.
class WireRequest {
 public:
  WireRequest(std::string_view method, std::string_view target, std::string_view body = {}) {
    std::string bytes = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n";
    if (!body.empty()) bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    bytes += "\r\n" + std::string(body);
    std::span<const char> in(bytes);
    EXPECT_EQ(parser_.feed(in), http::Status::kComplete) << bytes;
  }
  const http::Request& get() const { return parser_.request(); }

 private:
  http::RequestParser parser_{{.header_bytes_max = 1 << 20, .body_bytes_max = 1 << 24}};
};

/// The target with everything that docs/http-api.md asks for. `query`: further parameters, as sent and as signed alike.
inline std::string signed_target(std::string_view method, std::string_view path, std::string_view query,
                                 std::string_view body, uint64_t now_s = kNowMs / 1000) {
  return kilat::testing::signed_target(method, path, query, body, app_settings().key, app_settings().secret, now_s);
}

/// A reader of channels: keeps the text of every publication it gets.
class Reader final : public hub::Subscriber {
 public:
  Reader(hub::SocketId id, net::OutboxPool& pool) : Subscriber(0, id, 0, box_), box_(pool) {}
  std::vector<std::string> read() {
    std::vector<net::Frame*> frames(box_.frames());
    box_.peek(frames);
    std::vector<std::string> texts;
    for (net::Frame* frame : frames) texts.emplace_back(frame->bytes());
    box_.consume(box_.bytes());
    return texts;
  }
  Reason kicked = Reason::kNone;

 private:
  net::Outbox box_;
};

struct Answer {
  int status = 0;
  std::string body;
  std::vector<http::HeaderField> headers;
  Reason reason = Reason::kNone;
  bool at_once = false;

  std::string header(std::string_view name) const {
    for (const http::HeaderField& field : headers) {
      if (field.name == name) return field.value;
    }
    return {};
  }
};

class ApiShard final : public hub::Sink, private ServiceHost {
 public:
  ApiShard(hub::AppTable& apps, net::MailGrid<hub::Command>& grid, uint32_t index, const ServiceOptions& options)
      : mailbox(grid, index, nullptr), hub(apps, mailbox, *this, wheel), rights(apps) {
    service = std::make_unique<Service>(apps, hub, rights.access, static_cast<ServiceHost&>(*this), options);
  }

  net::FramePtr encode(const hub::Publication& publication, hub::Format) override {
    return net::FramePtr::make(std::string(publication.channel()) + " " + std::string(publication.event()) + " " +
                               std::string(publication.data()));
  }
  bool shared(hub::Format) const override { return true; }
  void deliver_own(hub::Subscriber&, const hub::Publication&) override {}
  void on_missed(hub::Subscriber&, std::string_view, uint64_t) override {}
  void on_joined(hub::Subscriber&, const hub::JoinReply&) override {}
  void on_user_status(hub::Subscriber&, const hub::UserStatus&) override {}
  void on_kick(hub::Subscriber& subscriber, Reason reason) override {
    static_cast<Reader&>(subscriber).kicked = reason;
  }
  void on_published(hub::RequestId request, const hub::PublishReply& reply) override {
    service->on_published(request, reply);
  }
  void on_answer(hub::RequestId request, hub::QueryReply reply) override {
    service->on_answer(request, std::move(reply));
  }
  void on_letter(hub::ShardIndex, std::unique_ptr<hub::Letter>) override {}
  void on_tap(const hub::Publication&) override {}

  TimerWheel wheel{0};
  net::Mailbox<hub::Command> mailbox;
  hub::ShardHub hub;
  hub::testing::TestAccess rights;
  std::unique_ptr<Service> service;
  std::vector<std::pair<Ticket, http::Response>> answers;

 private:
  void answer(Ticket ticket, const http::Response& response) override { answers.emplace_back(ticket, response); }
  void give_up(Ticket) override {}
};

class World {
 public:
  explicit World(uint32_t shards, const hub::AppSettings& app = app_settings(), const ServiceOptions& options = {},
                 size_t mail_slots = 1'024)
      : apps_({app}), grid_(shards, mail_slots), pool_({.hard_bytes = UINT32_MAX}) {
    for (uint32_t i = 0; i < shards; ++i) {
      shards_.push_back(std::make_unique<ApiShard>(apps_, grid_, i, options));
    }
  }
  ~World() {
    for (const auto& [shard, reader] : readers_) shards_[shard]->hub.remove(*reader);
    pump();
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  ApiShard& shard(uint32_t index) { return *shards_[index % shards_.size()]; }
  hub::App& app() { return apps_[0]; }

  Reader& reader(uint32_t at, std::string_view channel, std::string_view user = {}) {
    const auto shard = static_cast<uint32_t>(at % shards_.size());
    readers_.emplace_back(shard, std::make_unique<Reader>(hub::SocketId{shard + 1, ++last_id_}, pool_));
    Reader& made = *readers_.back().second;
    shards_[shard]->hub.add(made);
    shards_[shard]->hub.join(made, channel, hub::Member{std::string(user), {}});
    pump();
    return made;
  }

  /// A channel with `prefix` whose home is shard `home`.
  std::string name_at(uint32_t home, std::string_view prefix) const {
    const auto shards = static_cast<uint32_t>(shards_.size());
    if (shards == 1) return std::string(prefix) + std::to_string(home);
    for (int i = 0;; ++i) {
      std::string name = std::string(prefix) + std::to_string(i);
      if (hub::home_of(0, name, shards) == home % shards) return name;
    }
  }

  /// Begins a call on shard 0; nothing when the answer comes later.
  std::optional<Answer> begin(std::string_view method, std::string_view target, std::string_view body, Ticket ticket) {
    const WireRequest request(method, target, body);
    Outcome outcome = shards_[0]->service->handle(request.get(), request.get().path(), ticket, kNowMs);
    if (auto* response = std::get_if<http::Response>(&outcome)) {
      Answer answer = from(std::move(*response));
      answer.at_once = true;
      return answer;
    }
    EXPECT_TRUE(std::holds_alternative<Pending>(outcome));
    return std::nullopt;
  }
  /// A whole signed call, answered at once or later.
  Answer call(std::string_view method, std::string_view path, std::string_view query = {}, std::string_view body = {}) {
    const Ticket ticket = ++last_ticket_;
    if (std::optional<Answer> answer = begin(method, signed_target(method, path, query, body), body, ticket)) {
      pump();
      return *answer;
    }
    pump();
    std::vector<std::pair<Ticket, http::Response>>& answers = shards_[0]->answers;
    EXPECT_EQ(answers.size(), 1U);
    if (answers.empty()) return {};
    EXPECT_EQ(answers[0].first, ticket);
    EXPECT_EQ(shards_[0]->service->pending(), 0U);
    Answer answer = from(std::move(answers[0].second));
    answers.clear();
    return answer;
  }
  Answer post(std::string_view path, std::string_view body) { return call("POST", path, {}, body); }
  Answer get(std::string_view path, std::string_view query = {}) { return call("GET", path, query); }

  void pump() {
    for (int round = 0; round < 2; ++round) {
      for (bool moved = true; moved;) {
        moved = false;
        for (const auto& shard : shards_) shard->hub.let_join();
        for (const auto& shard : shards_) shard->mailbox.deliver();
        for (const auto& shard : shards_) {
          moved |= shard->mailbox.drain(SIZE_MAX,
                                        [&](hub::Command&& command) { shard->hub.receive(std::move(command)); }) > 0;
        }
      }
      for (const auto& shard : shards_) shard->hub.finish_turn();
    }
  }

 private:
  static Answer from(http::Response response) {
    return {response.status, std::move(response.body), std::move(response.headers), response.reason, false};
  }

  hub::AppTable apps_;
  net::MailGrid<hub::Command> grid_;
  net::OutboxPool pool_;
  std::vector<std::unique_ptr<ApiShard>> shards_;
  std::vector<std::pair<uint32_t, std::unique_ptr<Reader>>> readers_;
  uint64_t last_id_ = 0;
  Ticket last_ticket_ = 0;
};

}  // namespace kilat::api::testing
