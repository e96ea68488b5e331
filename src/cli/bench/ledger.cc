#include "cli/bench/ledger.h"

#include <algorithm>

#include "base/check.h"

namespace kilat::cli::bench {

Ledger::Ledger(const LedgerShape& shape)
    : shape_(shape),
      numbers_(shape.own_channel ? shape.publishers : size_t{shape.publishers} * shape.channels),
      streams_(size_t{shape.connections} * shape.publishers_heard()),
      readers_(shape.channels),
      ever_joined_(shape.connections) {
  KILAT_CHECK(streams_.size() <= kStreamsMax);
}

void Ledger::measure(uint64_t start_ns, uint64_t end_ns) {
  measure_start_ns_ = start_ns;
  measure_end_ns_ = end_ns;
}

void Ledger::joined(uint32_t connection) {
  ++readers_[shape_.channel_of(connection)];
  ++readers_total_;
  ever_joined_[connection] = true;
}

void Ledger::gone(uint32_t connection) {
  --readers_[shape_.channel_of(connection)];
  --readers_total_;
  owed_ -= static_cast<int64_t>(missing(connection));
}

uint32_t Ledger::publish(uint32_t publisher, uint32_t channel, uint64_t now_ns) {
  owed_ += static_cast<int64_t>(fan_out(channel));
  ++totals_.sent;
  if (in_window(now_ns)) ++totals_.sent_measured;
  return ++numbers_[number_slot(publisher, channel)];
}

void Ledger::take_back(uint32_t publisher, uint32_t channel, uint64_t sent_ns) {
  owed_ -= static_cast<int64_t>(fan_out(channel));
  --totals_.sent;
  if (in_window(sent_ns)) --totals_.sent_measured;
  --numbers_[number_slot(publisher, channel)];
}

void Ledger::arrived(uint32_t connection, const Marker& marker, uint64_t now_ns) {
  const bool known = marker.publisher < shape_.publishers && marker.channel == shape_.channel_of(connection) &&
                     ever_joined_[connection] && marker.sequence > 0 &&
                     (!shape_.own_channel ||
                      (marker.publisher != connection && shape_.channel_of(marker.publisher) == marker.channel));
  if (!known || marker.sequence > numbers_[number_slot(marker.publisher, marker.channel)]) {
    ++totals_.unexpected;
    return;
  }
  const Arrival arrival = stream(connection, marker.publisher).take(marker.sequence);
  if (arrival == Arrival::kDuplicate) {
    ++totals_.duplicates;
    return;
  }
  if (arrival == Arrival::kReordered) ++totals_.reordered;
  --owed_;
  ++totals_.received;
  if (in_window(now_ns)) ++totals_.received_measured;
  if (in_window(marker.due_ns)) latency_ns_.record(now_ns > marker.due_ns ? now_ns - marker.due_ns : 0);
}

// In a channel of client events the publisher reads too, but not what it says itself.
uint64_t Ledger::fan_out(uint32_t channel) const {
  const uint64_t readers = readers_[channel];
  return shape_.own_channel && readers > 0 ? readers - 1 : readers;
}

double Ledger::mean_fan_out() const {
  const double readers = static_cast<double>(readers_total_) / shape_.channels;
  return shape_.own_channel ? std::max(readers - 1, 0.0) : readers;
}

Totals Ledger::totals() const {
  Totals out = totals_;
  for (uint32_t connection = 0; connection < shape_.connections; ++connection) {
    if (ever_joined_[connection]) out.lost += missing(connection);
  }
  out.expected = out.received + out.lost;
  return out;
}

size_t Ledger::number_slot(uint32_t publisher, uint32_t channel) const {
  return shape_.own_channel ? publisher : size_t{publisher} * shape_.channels + channel;
}

Stream& Ledger::stream(uint32_t connection, uint32_t publisher) {
  const uint32_t heard = shape_.own_channel ? publisher / shape_.channels : publisher;
  return streams_[size_t{connection} * shape_.publishers_heard() + heard];
}

uint64_t Ledger::missing(uint32_t connection) const {
  const uint32_t heard = shape_.publishers_heard();
  uint64_t out = 0;
  for (uint32_t i = 0; i < heard; ++i) {
    const uint64_t owed = owed_to(connection, i);
    const uint64_t came = streams_[size_t{connection} * heard + i].unique();
    // More than was owed: a publish was taken back because the server said no, and delivered nevertheless.
    if (owed > came) out += owed - came;
  }
  return out;
}

// How many numbers the publisher that this connection knows as its `heard`-th has used on the connection's channel.
uint64_t Ledger::owed_to(uint32_t connection, uint32_t heard) const {
  const uint32_t channel = shape_.channel_of(connection);
  const uint32_t publisher = shape_.own_channel ? channel + heard * shape_.channels : heard;
  if (publisher >= shape_.publishers || (shape_.own_channel && publisher == connection)) return 0;
  return numbers_[number_slot(publisher, channel)];
}

}  // namespace kilat::cli::bench
