// PusherPeer: one Pusher client of the stress test. Owner: the stress program's one thread.
//
// An unsubscribe has no answer, so each is followed by a pusher:ping: what comes before its pong belongs to the
// subscription that was left, what comes after it to the next one.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

#include "stress/peer.h"
#include "stress/ws_client.h"

namespace kilat::stress {

class PusherPeer final : public Peer, private WsClient {
 public:
  PusherPeer(Poller& poller, uint16_t port, PeerHost& host, const PeerOptions& options, const WsOptions& ws);

  bool ended() const override { return WsClient::ended(); }
  bool settled() const override;
  bool told_of_drain() const override {
    // 0: cut off at the end of the drain, as a machine that was stopped meanwhile may have it.
    return close_code() == 4200 || close_code() == 0;
  }
  void client_event(uint32_t channel, uint32_t event) override;
  void rogue_event(uint32_t channel, uint32_t event) override;
  void ping() override;
  void probe_transport(std::string payload) override { send_ping(std::move(payload)); }
  void set_paused(bool paused) override { WsClient::set_paused(paused); }
  bool paused() const override { return WsClient::paused(); }
  void leave(uint32_t how) override;

 private:
  struct Message;
  static constexpr int64_t kNoChannel = -1;

  void say_subscribe(const Channel& channel, Epoch& epoch, std::string_view channel_data) override;
  void say_unsubscribe(uint32_t channel) override;
  void on_text(std::string_view text) override;
  void on_closed() override;
  void on_violation(const std::string& what) override;
  void on_own_message(const Message& message);
  void on_channel_message(const Message& message, uint32_t channel, Epoch& epoch);
  void on_pong();
  void on_error(const Message& message);
  void on_succeeded(const Message& message, Epoch& epoch);
  void on_refused(const Message& message, uint32_t channel, Epoch& epoch);

  uint32_t rogues_due_ = 0;
  uint32_t messages_ = 0;
  std::deque<int64_t> barriers_;  // of each pusher:ping: the channel left just before, or kNoChannel
};

}  // namespace kilat::stress
