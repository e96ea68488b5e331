// The checks of `kilat doctor`: facts in, verdicts out. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kilat::cli {

enum class Verdict : uint8_t { kOk, kWarn, kFail };

struct Check {
  Verdict verdict = Verdict::kOk;
  std::string name;
  std::string text;
  std::string fix;  ///< a command or an edit; empty when nothing is to be done
};

/// What the checks look at. Numbers that could not be read are 0, and the check says so.
struct DoctorFacts {
  uint64_t open_files_max = 0;  ///< hard limit
  uint32_t max_connections = 0;
  uint64_t somaxconn = 0;
  uint64_t port_range_begin = 0;  ///< net.ipv4.ip_local_port_range
  uint64_t port_range_end = 0;
  uint16_t port = 0;
  uint64_t unix_s = 0;
  bool clock_synchronised = true;
  bool entropy_ready = true;
  uint64_t memory_bytes = 0;  ///< what a process may have
  uint64_t budget_bytes = 0;  ///< limits.shard_budget_bytes
  uint32_t shards = 1;
  bool tls = false;
  std::string tls_error;      ///< the certificates could not be loaded
  int64_t tls_expires_s = 0;  ///< since 1970
};

std::vector<Check> examine(const DoctorFacts& facts);

/// "[ok]   open files   1048576 …" with the fix behind it; ends with a newline.
std::string render(const Check& check);

/// [{"name","verdict","text","fix"}] with a newline.
std::string checks_json(const std::vector<Check>& checks);

}  // namespace kilat::cli
