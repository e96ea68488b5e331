#include "app/address_table.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/keyed_hash.h"

namespace kilat::app {

IpAddress AddressTable::key_of(const IpAddress& address) {
  if (address.is_v4()) return address;
  std::array<uint8_t, 16> bytes = address.bytes();
  std::fill(bytes.begin() + 8, bytes.end(), uint8_t{0});
  return IpAddress::v6(bytes);
}

size_t AddressTable::Hash::operator()(const IpAddress& key) const noexcept {
  const auto& bytes = key.bytes();
  return keyed_hash(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()), kHashSeed);
}

float AddressTable::tokens_at(const Entry& entry, const AddressLimits& limits, uint64_t now_ms) {
  const auto rate = static_cast<float>(limits.connects_per_second);
  // Shards read the clock at different moments.
  const uint64_t elapsed_ms = now_ms - std::min(now_ms, entry.at_ms);
  return std::min(rate * static_cast<float>(kBurst), entry.tokens + rate * static_cast<float>(elapsed_ms) / 1000.0f);
}

// Whether forgetting the entry changes nothing.
bool AddressTable::idle(const Entry& entry, const AddressLimits& limits, uint64_t now_ms) {
  if (entry.connections != 0) return false;
  return tokens_at(entry, limits, now_ms) >= static_cast<float>(uint64_t{limits.connects_per_second} * kBurst);
}

void AddressTable::sweep(Stripe& stripe, const AddressLimits& limits, uint64_t now_ms) {
  auto& entries = stripe.entries;
  for (size_t i = 0; i < kSweptPerInsert && !entries.empty(); ++i) {
    const size_t place = stripe.swept++ % entries.bucket_count();
    std::optional<IpAddress> found;  // one a place: collisions are met again in the next round
    for (auto it = entries.begin(place); it != entries.end(place); ++it) {
      if (idle(it->second, limits, now_ms)) found = it->first;
    }
    if (found) entries.erase(*found);
  }
}

AddressTable::Verdict AddressTable::take(const IpAddress& key, const AddressLimits& limits, uint64_t now_ms) {
  Stripe& stripe = stripe_of(key);
  const std::lock_guard lock(stripe.mutex);
  auto found = stripe.entries.find(key);
  if (found == stripe.entries.end()) {
    sweep(stripe, limits, now_ms);
    if (stripe.entries.size() >= kAddressesMax / kStripes) return Verdict::kUncounted;
    const auto full = static_cast<float>(uint64_t{limits.connects_per_second} * kBurst);
    found = stripe.entries.emplace(key, Entry{.connections = 0, .tokens = full, .at_ms = now_ms}).first;
  }
  Entry& entry = found->second;
  if (limits.connections_max != 0 && entry.connections >= limits.connections_max) return Verdict::kTooMany;
  if (limits.connects_per_second != 0) {
    entry.tokens = tokens_at(entry, limits, now_ms);
    entry.at_ms = std::max(entry.at_ms, now_ms);
    if (entry.tokens < 1.0f) return Verdict::kTooFast;
    entry.tokens -= 1.0f;
  }
  ++entry.connections;
  return Verdict::kCounted;
}

void AddressTable::give(const IpAddress& key) noexcept {
  Stripe& stripe = stripe_of(key);
  const std::lock_guard lock(stripe.mutex);
  const auto found = stripe.entries.find(key);
  // Its rate is remembered until the entry is idle; without a rate, it is found idle by the next sweep.
  if (found != stripe.entries.end() && found->second.connections > 0) --found->second.connections;
}

size_t AddressTable::size() const {
  size_t count = 0;
  for (const Stripe& stripe : stripes_) {
    const std::lock_guard lock(stripe.mutex);
    count += stripe.entries.size();
  }
  return count;
}

}  // namespace kilat::app
