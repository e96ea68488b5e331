// What an app does with readings that come to it by POST /apps/ID/ingest. Part of AppSettings; docs/ingest.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kilat::hub {

struct IngestSettings {
  std::string channel;              ///< where readings are published; empty: nowhere
  std::string event = "reading";    ///< as what
  std::vector<std::string> fields;  ///< entries of hub/field_rule.h
  uint64_t keep_s = 0;              ///< how long readings are kept; 0: they are not stored
  uint32_t tries = 3;
  uint32_t timeout_s = 300;        ///< of one try
  std::string sensor = "channel";  ///< the member of a reading that names its sensor
  std::string value = "value";     ///< the member with its number
  std::string time = "timestamp";  ///< the member with its time

  bool on() const { return !channel.empty() || keep_s > 0; }
  bool operator==(const IngestSettings&) const = default;
};

}  // namespace kilat::hub
