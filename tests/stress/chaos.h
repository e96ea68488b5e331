// Chaos: the seeded mix of operations, with moments of quiet at which the Ledger audits all that happened.
// Owner: the stress program's one thread. Bounds: clients by the options; what is published and not yet seen by a
// witness (kLagMax) and unanswered requests of a publisher (kPipelineMax), so that a slow build is not flooded.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stress/dice.h"
#include "stress/http_client.h"
#include "stress/ledger.h"
#include "stress/options.h"
#include "stress/patience.h"
#include "stress/peer.h"
#include "stress/server_process.h"
#include "stress/wire.h"

namespace kilat::stress {

class Chaos final : private PeerHost {
 public:
  static constexpr uint32_t kWitnesses = 3;
  static constexpr uint32_t kPublishers = 4;
  static constexpr uint32_t kUsers = 8;
  static constexpr uint32_t kMembersMax = 9;  ///< below users and witnesses, so that channels get full
  static constexpr uint64_t kLagMax = 2'000;
  static constexpr size_t kPipelineMax = 24;
  static constexpr uint32_t kOperationsBetweenAudits = 4'000;
  static constexpr size_t kComplaintsMax = 20;

  explicit Chaos(const Options& options);

  /// The whole run; the program's exit code.
  int run();

 private:
  struct ApiAnswer {
    int status = 0;
    std::string body;
  };

  Ledger& ledger() override { return ledger_; }
  void complain(const std::string& what) override;
  void on_witnessed(uint32_t serial) override;

  // chaos.cc: the frame.
  static ServerChoices choose(const Options& options);
  void open_witnesses();
  void wait_until_live();
  void turn(int wait_ms);
  void bury();
  bool failed() const { return !complaints_.empty(); }
  void close_all();
  void check_baseline();
  void stop_with_clients();
  int report();

  // operations.cc: the mix.
  void operate();
  Peer* any_peer();
  /// One that this client may subscribe to.
  uint32_t channel_for(const Peer& peer);
  uint32_t any_channel() { return dice_.below(ledger_.channels().size()); }
  Peer& add_peer(bool witness = false);
  void pause(Peer& peer);
  void toggle(Peer& peer, bool at_once);
  void send_client_event(Peer& peer, uint32_t channel);
  void send_rogue_event(Peer& peer, uint32_t channel);
  HttpClient& publisher(size_t index);
  bool publish_pressure(size_t index) { return publisher(index).unanswered() >= kPipelineMax; }
  uint32_t new_event(uint32_t request, size_t publisher, std::vector<uint32_t> channels, bool exclude,
                     std::string* body);
  void publish(size_t index, std::vector<uint32_t> channels);
  void emit(size_t index, uint32_t channel);
  void publish_batch(size_t index, uint32_t parts, std::optional<uint32_t> channel);
  void publish_burst(size_t index);
  void settle_request(uint32_t request, uint32_t parts, int status, std::string_view body);
  std::vector<uint32_t> several_channels();
  uint32_t padding();

  // quiet.cc: moments of quiet.
  void settle();
  std::string unsettled();
  std::string api_difference();
  bool publish_marks(std::vector<uint32_t>& marks);
  std::string wait_for_marks(const std::vector<uint32_t>& marks);
  void check_users();
  ApiAnswer call(std::string_view path, const Parameters& parameters = {});

  Options options_;
  ServerChoices choices_;
  Dice dice_;
  std::vector<std::string> complaints_;
  Ledger ledger_;
  ServerProcess server_;
  Poller poller_;
  size_t descriptors_at_start_ = 0;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::vector<std::unique_ptr<HttpClient>> publishers_;
  std::vector<uint32_t> sources_;  // of the publishers' connections
  struct Pause {
    uint32_t serial;
    uint64_t until_ms;
  };
  std::vector<Pause> pauses_;
  bool small_events_ = false;
  uint32_t last_serial_ = 0;
  uint64_t operations_ = 0;
  uint64_t parts_sent_ = 0;  // since the last quiet: what a witness should see
  uint64_t parts_seen_ = 0;
  uint64_t audits_ = 0;
};

}  // namespace kilat::stress
