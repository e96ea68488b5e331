// SoakClient: a connection of the soak; either one of the steady ones, which count that no event of the control
// channels is missing, or one of those that come and go. Owner: the stress program's one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stress/ws_client.h"

namespace kilat::stress {

class SoakHost {
 public:
  virtual void complain(const std::string& what) = 0;

 protected:
  ~SoakHost() = default;
};

class SoakClient final : public WsClient {
 public:
  /// Subscribes to the channels as soon as it is established. `controls`: how many control channels it follows.
  SoakClient(Poller& poller, uint16_t port, SoakHost& host, uint32_t serial, std::vector<std::string> channels,
             uint32_t controls);

  bool live() const { return !socket_id_.empty() && !leaving_ && !ended(); }
  bool joined() const { return answers_ == channels_.size(); }
  /// The number of the last event of a control channel; they are numbered from 1.
  uint64_t last(uint32_t control) const { return last_[control]; }
  /// Goes away in one of the ways that there are.
  void leave(uint32_t how);
  void say(std::string_view text) { send_text(text); }

 private:
  void on_text(std::string_view text) override;
  void on_closed() override;
  void on_violation(const std::string& what) override;
  void on_control(std::string_view text, size_t at);

  SoakHost& host_;
  uint32_t serial_;
  std::vector<std::string> channels_;
  std::vector<uint64_t> last_;
  std::string socket_id_;
  size_t answers_ = 0;
  bool leaving_ = false;
};

}  // namespace kilat::stress
