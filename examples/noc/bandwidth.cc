#include "noc/bandwidth.h"

#include <bit>
#include <cmath>

#include "common/clock.h"

namespace examples::noc {
namespace json = boost::json;
namespace {

void append(std::string& bytes, double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  for (unsigned shift = 0; shift < 64; shift += 8) bytes += static_cast<char>((bits >> shift) & 0xff);
}

/// Bytes a second. A counter that went back began anew.
double rate(std::uint64_t before, std::uint64_t after, std::int64_t ms) {
  if (after < before || ms <= 0) return 0;
  return std::round(static_cast<double>(after - before) * 1000 / static_cast<double>(ms));
}

}  // namespace

void Bandwidth::sample() {
  const std::int64_t now = unix_ms();
  const std::map<std::string, proc::Counters> interfaces = proc::interfaces();
  std::erase_if(histories_, [&interfaces](const auto& entry) { return !interfaces.contains(entry.first); });
  for (const auto& [name, counters] : interfaces) {
    const bool known = histories_.contains(name);
    if (!known && histories_.size() >= kInterfacesMax) continue;
    History& history = histories_[name];
    if (known) {
      const Sample sample{.at = now,
                          .received = rate(history.last.received, counters.received, now - history.at),
                          .sent = rate(history.last.sent, counters.sent, now - history.at)};
      history.samples.push_back(sample);
      if (history.samples.size() > kSamplesMax) history.samples.pop_front();
      emitter_.bandwidth({{"interface", name}, {"at", now}, {"rx", sample.received}, {"tx", sample.sent}});
    }
    history.last = counters;
    history.at = now;
  }
}

json::array Bandwidth::interfaces() const {
  json::array names;
  for (const auto& [name, history] : histories_) names.emplace_back(name);
  return names;
}

json::array Bandwidth::samples(const std::string& interface) const {
  json::array list;
  for (const Sample& sample : histories_.at(interface).samples) {
    list.emplace_back(json::object{{"at", sample.at}, {"rx", sample.received}, {"tx", sample.sent}});
  }
  return list;
}

std::string Bandwidth::packed(const std::string& interface) const {
  std::string bytes;
  for (const Sample& sample : histories_.at(interface).samples) {
    append(bytes, static_cast<double>(sample.at));
    append(bytes, sample.received);
    append(bytes, sample.sent);
  }
  return bytes;
}

}  // namespace examples::noc
