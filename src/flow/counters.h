// What a flow rule has done. Plain numbers of the shard that counts.
#pragma once

#include <cstdint>

namespace kilat::flow {

/// Every event that a rule was about is in exactly one place:
///   in = out + cut + folded + sampled_out + held + unfit()
struct FlowCounters {
  uint64_t in = 0;           ///< events that the rule was about
  uint64_t out = 0;          ///< events that it sent, or let through as they were
  uint64_t cut = 0;          ///< results that were not sent, because the chain was too long or went in a circle
  uint64_t folded = 0;       ///< gave way to a newer event, or went into one with others
  uint64_t sampled_out = 0;  ///< left out by sample
  uint64_t held = 0;         ///< wait for the end of their interval; a level, all the others only grow

  // What the rule could do nothing with: in place it went on unchanged, else the rule left it out.
  uint64_t encrypted = 0;   ///< several would have become one, or it would have gone where only encrypted ones are read
  uint64_t not_json = 0;    ///< the data is no JSON
  uint64_t keyless = 0;     ///< nothing at key=, or no text, number or true/false of at most 1 KiB
  uint64_t valueless = 0;   ///< no number at value=
  uint64_t timeless = 0;    ///< no time at time=
  uint64_t late = 0;        ///< its window was over
  uint64_t early = 0;       ///< its time is further ahead than an interval and the grace
  uint64_t keys_full = 0;   ///< a key more than keys=
  uint64_t bytes_full = 0;  ///< more memory than bytes=

  uint64_t unfit() const {
    return encrypted + not_json + keyless + valueless + timeless + late + early + keys_full + bytes_full;
  }
};

}  // namespace kilat::flow
