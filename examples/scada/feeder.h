// The firehose: a thread that reads the plant and this machine, and hands the readings to Kilat's durable ingest as
// NDJSON over loopback, the way a plant's gateway does. What was not acknowledged is sent again with the same
// idempotency key, so that nothing is lost and nothing comes twice. Bounds: one request at a time, kLinesMax readings.
#pragma once

#include <kilat/publisher.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "scada/desk.h"
#include "scada/host.h"
#include "scada/performance.h"
#include "scada/plant.h"

namespace examples::scada {

class Feeder {
 public:
  static constexpr std::int64_t kRateMax = 20'000;
  using OnTaken = std::function<void(const std::vector<Reading>&)>;

  /// `on_taken` is called on the feeder's thread with what was acknowledged.
  Feeder(Plant& plant, Performance& performance, OnTaken on_taken)
      : plant_(plant), performance_(performance), on_taken_(std::move(on_taken)) {}
  ~Feeder() { stop(); }
  Feeder(const Feeder&) = delete;
  Feeder& operator=(const Feeder&) = delete;

  void start(const Address& address);
  void stop();

  /// Readings a second of the simulated sensors, up to kRateMax; 0 stops plant and host. Any thread.
  void set_rate(std::int64_t rate) { rate_ = rate; }
  std::int64_t rate() const { return rate_; }
  /// Readings that ingest has acknowledged since the start.
  std::uint64_t accepted() const { return accepted_; }
  /// Requests that had to be sent again, since the start.
  std::uint64_t retries() const { return retries_; }
  /// Nothing has been acknowledged for so long that silence tells nothing about the sensors.
  bool stalled() const;

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kLinesMax = 5'000;

  void run(kilat::Publisher publisher);
  bool wait();
  void gather(Clock::time_point now);
  void send(kilat::Publisher& publisher);

  Plant& plant_;
  Performance& performance_;
  OnTaken on_taken_;
  HostTelemetry host_;
  std::atomic<std::int64_t> rate_ = 0;
  std::atomic<std::uint64_t> accepted_ = 0;
  std::atomic<std::uint64_t> retries_ = 0;
  std::atomic<Clock::rep> last_taken_ = 0;

  // Of the thread.
  Clock::time_point gathered_at_;
  std::int64_t gathered_ms_ = 0;
  Clock::time_point host_at_;
  double owed_ = 0;
  std::vector<Reading> readings_;  // not acknowledged yet
  std::string lines_;              // the same as NDJSON
  std::string key_;
  std::uint64_t requests_ = 0;
  std::string origin_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace examples::scada
