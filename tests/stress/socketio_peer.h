// SocketIoPeer: one Socket.IO client of the stress test. Owner: the stress program's one thread.
//
// An event does not say to which channel it was published. So of the channels that events may share such a client reads
// one only, and it is known for each event to which subscription it belongs.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "stress/engine_client.h"
#include "stress/peer.h"

namespace kilat::stress {

class SocketIoPeer final : public Peer, private EngineClient {
 public:
  SocketIoPeer(Poller& poller, uint16_t port, PeerHost& host, const PeerOptions& options, const EngineOptions& engine);

  bool ended() const override { return over(); }
  bool settled() const override { return ended() || (live() && waiting_.empty() && idle()); }
  /// Its client is told nothing but that it is over.
  bool told_of_drain() const override { return true; }
  bool reads(uint32_t channel) const override;
  void client_event(uint32_t channel, uint32_t event) override;
  void rogue_event(uint32_t channel, uint32_t event) override;
  void ping() override;
  void probe_transport(std::string payload) override;
  void set_paused(bool paused) override { pause(paused); }
  bool paused() const override { return is_paused(); }
  void leave(uint32_t how) override;
  void expect_end() override {
    set_leaving();
    tolerate_end();
  }

 private:
  /// What an acknowledgement is for.
  struct Waiting {
    enum class Kind : uint8_t { kSubscribe, kUnsubscribe, kPublish, kRogue, kBarrier };
    Kind kind;
    uint32_t channel = 0;
    Epoch* epoch = nullptr;
    uint32_t request = 0;
  };
  struct Answer;

  void ask(std::string_view event, std::string_view argument, const Waiting& waiting);
  void publish(uint32_t channel, uint32_t event, Waiting::Kind kind);
  void say_subscribe(const Channel& channel, Epoch& epoch, std::string_view channel_data) override;
  void say_unsubscribe(uint32_t channel) override;
  bool counts() const override { return false; }

  void on_opened() override;
  void on_message(std::string_view message) override;
  void on_over() override;
  void on_cut_off() override;
  void on_broken(const std::string& what) override { violation(what); }

  void on_ack(uint64_t id, std::string_view json);
  void on_subscribed(const Waiting& waiting, const Answer& answer);
  void on_named_event(std::string_view json);
  void on_published(std::string_view name, std::string_view text);
  std::optional<uint32_t> channel_named(std::string_view name) const;

  uint32_t shared_;  ///< of the channels that events may share, the one that it reads
  uint64_t last_ack_ = 0;
  std::map<uint64_t, Waiting> waiting_;
};

}  // namespace kilat::stress
