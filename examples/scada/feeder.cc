#include "scada/feeder.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <random>
#include <string_view>
#include <utility>

namespace examples::scada {
namespace {

constexpr std::chrono::milliseconds kPeriod{100};
constexpr std::chrono::milliseconds kHostPeriod{1'000};
constexpr std::chrono::milliseconds kStalled{2'500};

void append_number(std::string& out, double value, int decimals) {
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, decimals);
  out.append(text.data(), end.ptr);
}

// Names of the plant's sensors need no escaping.
void append_line(std::string& out, const Reading& reading) {
  out += R"({"channel":")";
  out += reading.sensor;
  out += R"(","value":)";
  append_number(out, reading.value, reading.decimals);
  out += R"(,"timestamp":)";
  out += std::to_string(reading.time_ms);
  out += "}\n";
}

}  // namespace

void Feeder::start(const Address& address) {
  origin_ = std::to_string(std::random_device{}()) + "-" + std::to_string(std::random_device{}());
  gathered_at_ = host_at_ = Clock::now();
  gathered_ms_ = unix_ms();
  thread_ = std::thread([this, options = address.get()] { run(kilat::Publisher(options)); });
}

void Feeder::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

bool Feeder::stalled() const {
  return Clock::now().time_since_epoch().count() - last_taken_ > Clock::duration(kStalled).count();
}

bool Feeder::wait() {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, kPeriod, [this] { return stopped_; });
}

void Feeder::run(kilat::Publisher publisher) {
  while (wait()) {
    if (readings_.empty()) gather(Clock::now());
    if (!readings_.empty()) send(publisher);
  }
}

// What is due since the last time. When the server can't keep up, readings are not made rather than piled up.
void Feeder::gather(Clock::time_point now) {
  const auto rate = static_cast<double>(rate_.load());
  const double seconds = std::chrono::duration<double>(now - gathered_at_).count();
  const std::int64_t now_ms = std::max(unix_ms(), gathered_ms_);
  owed_ = rate == 0 ? 0 : std::min(owed_ + rate * seconds, static_cast<double>(kLinesMax));
  const double count = std::floor(owed_);
  owed_ -= count;
  if (count > 0) plant_.read(static_cast<std::size_t>(count), gathered_ms_, now_ms, readings_);
  if (rate > 0 && now - host_at_ >= kHostPeriod) {
    host_.read(now_ms, readings_);
    host_at_ = now;
  }
  gathered_at_ = now;
  gathered_ms_ = now_ms;
  lines_.clear();
  for (const Reading& reading : readings_) append_line(lines_, reading);
  key_ = "plant-" + origin_ + "-" + std::to_string(++requests_);
}

void Feeder::send(kilat::Publisher& publisher) {
  const kilat::Published<kilat::Ingested> taken = [&] {
    const Stopwatch stopwatch(performance_, "plant: ingest");
    return publisher.ingest_lines(lines_, key_);
  }();
  if (taken) {
    accepted_ += taken->accepted;
    last_taken_ = Clock::now().time_since_epoch().count();
    on_taken_(readings_);
    readings_.clear();
    return;
  }
  ++retries_;
  std::fprintf(stderr, "warning: readings were not taken: %ld %s\n", taken.error().status,
               taken.error().message.c_str());
}

}  // namespace examples::scada
