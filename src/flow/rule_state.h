// RuleState: what one rule holds, over all channels. Owner: one Engine; it outlives its lanes.
// Bounds: the rule's keys= and bytes=. Bytes are counted as the sizes of texts plus a fixed price for what holds them.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/keyed_hash.h"
#include "flow/counters.h"
#include "flow/flow_rule.h"

namespace kilat::flow {

class Lane;

struct KeyHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return keyed_hash(text, kHashSeed); }
};

template <typename Value>
using KeyMap = boost::unordered_flat_map<std::string_view, Value, KeyHash, std::equal_to<>>;

struct RuleState {
  const FlowRule* rule = nullptr;
  uint64_t id = 0;  ///< of its own in the engine, for as long as its rule stays
  FlowCounters counters;
  uint64_t keys = 0;
  uint64_t bytes = 0;
  KeyMap<std::unique_ptr<Lane>> lanes;  ///< by Lane::id()

  /// Room for one more key of `size` bytes with all it holds; counts what is missing.
  bool admit_key(uint64_t size) {
    if (keys >= rule->keys_max) return ++counters.keys_full, false;
    if (!admit(size)) return false;
    ++keys;
    return true;
  }
  bool has_room(uint64_t size) const { return bytes + size <= rule->bytes_max; }
  /// Room for more bytes; counts when there is none.
  bool admit(uint64_t size) {
    if (!has_room(size)) return ++counters.bytes_full, false;
    bytes += size;
    return true;
  }
  void release(uint64_t keys_gone, uint64_t size) {
    keys -= keys_gone;
    bytes -= size;
  }
};

}  // namespace kilat::flow
