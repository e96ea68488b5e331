#include "cli/doctor.h"

#include "base/json_text.h"

namespace kilat::cli {
namespace {

// Besides connections: listeners, epoll, wake-ups, the log, and what a reload and a scrape open for a moment.
constexpr uint64_t kFilesBesides = 100;
constexpr uint64_t kFilesEnough = 65'536;
constexpr uint64_t kBacklog = 4'096;              // what the server asks listen() for
constexpr uint64_t kSaneTime = 1'735'689'600;     // 2025-01-01: a clock before that was never set
constexpr int64_t kExpiryWarningS = 14 * 86'400;  // as app/certificates.h
constexpr uint64_t kMiB = 1024 * 1024;

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk: return "ok";
    case Verdict::kWarn: return "warn";
    case Verdict::kFail: return "fail";
  }
  return {};
}

Check open_files(const DoctorFacts& facts) {
  Check out{.name = "open files", .text = std::to_string(facts.open_files_max), .fix = {}};
  const uint64_t needed = facts.max_connections + kFilesBesides;
  if (facts.max_connections == 0) {
    if (facts.open_files_max >= kFilesEnough) return out;
    out.verdict = Verdict::kWarn;
    out.text += "; every connection is one, and server.max_connections sets no limit";
    out.fix = "LimitNOFILE=1048576 in the unit, or ulimit -Hn 1048576";
    return out;
  }
  out.text +=
      " (needs " + std::to_string(needed) + " for max_connections = " + std::to_string(facts.max_connections) + ")";
  if (facts.open_files_max >= needed) return out;
  out.verdict = Verdict::kFail;
  out.fix = "LimitNOFILE=" + std::to_string(needed) + " in the unit, or ulimit -Hn " + std::to_string(needed);
  return out;
}

Check somaxconn(const DoctorFacts& facts) {
  Check out{.name = "net.core.somaxconn", .text = std::to_string(facts.somaxconn), .fix = {}};
  if (facts.somaxconn == 0) {
    out.verdict = Verdict::kWarn;
    out.text = "cannot be read here";
  } else if (facts.somaxconn < kBacklog) {
    out.verdict = Verdict::kWarn;
    out.text += "; clients that all come back at once want " + std::to_string(kBacklog);
    out.fix = "sysctl -w net.core.somaxconn=" + std::to_string(kBacklog);
  }
  return out;
}

Check port_range(const DoctorFacts& facts) {
  Check out{.name = "port range",
            .text = std::to_string(facts.port) + " lies outside of " + std::to_string(facts.port_range_begin) + "-" +
                    std::to_string(facts.port_range_end) + ", where outgoing connections take theirs",
            .fix = {}};
  if (facts.port == 0 || facts.port < facts.port_range_begin || facts.port > facts.port_range_end) return out;
  out.verdict = Verdict::kWarn;
  out.text = std::to_string(facts.port) + " lies in " + std::to_string(facts.port_range_begin) + "-" +
             std::to_string(facts.port_range_end) + ": an outgoing connection may have it when the server starts";
  out.fix = "sysctl -w net.ipv4.ip_local_reserved_ports=" + std::to_string(facts.port);
  return out;
}

Check clock(const DoctorFacts& facts) {
  if (facts.unix_s < kSaneTime) {
    return {Verdict::kFail, "clock", "is wrong: signatures of the API hold a time and would be refused",
            "timedatectl set-ntp true"};
  }
  if (!facts.clock_synchronised) {
    return {Verdict::kWarn, "clock", "is not synchronised: signatures of the API may differ by 600 s at most",
            "timedatectl set-ntp true"};
  }
  return {Verdict::kOk, "clock", "synchronised", {}};
}

Check memory(const DoctorFacts& facts) {
  const uint64_t budget = facts.budget_bytes * facts.shards;
  Check out{.name = "memory",
            .text = "budget of all outboxes " + std::to_string(budget / kMiB) + " MiB of " +
                    std::to_string(facts.memory_bytes / kMiB) + " MiB",
            .fix = {}};
  if (facts.memory_bytes == 0 || budget <= facts.memory_bytes / 4 * 3) return out;
  out.verdict = Verdict::kWarn;
  out.text += ": slow readers could use up what there is";
  out.fix = "limits.shard_budget_bytes = \"" + std::to_string(facts.memory_bytes / 2 / facts.shards / kMiB) + "MiB\"";
  return out;
}

Check certificates(const DoctorFacts& facts) {
  if (!facts.tls_error.empty()) return {Verdict::kFail, "certificates", facts.tls_error, "tls.certificate, tls.key"};
  const int64_t left_s = facts.tls_expires_s - static_cast<int64_t>(facts.unix_s);
  if (left_s <= 0) return {Verdict::kFail, "certificates", "one has expired", "renew it, then: kilat reload"};
  const std::string days = std::to_string(left_s / 86'400) + " days";
  if (left_s < kExpiryWarningS) {
    return {Verdict::kWarn, "certificates", "one expires in " + days, "renew it, then: kilat reload"};
  }
  return {Verdict::kOk, "certificates", "good for " + days, {}};
}

}  // namespace

std::vector<Check> examine(const DoctorFacts& facts) {
  std::vector<Check> out{open_files(facts), somaxconn(facts), port_range(facts), clock(facts)};
  if (facts.entropy_ready) {
    out.push_back({Verdict::kOk, "entropy", "ready", {}});
  } else {
    out.push_back({Verdict::kFail, "entropy", "the kernel has none yet: the start would wait", "rngd, or virtio-rng"});
  }
  out.push_back(memory(facts));
  if (facts.tls) out.push_back(certificates(facts));
  return out;
}

std::string render(const Check& check) {
  std::string out = "[" + std::string(verdict_name(check.verdict)) + "]";
  out.resize(7, ' ');
  out += check.name;
  if (check.name.size() < 19) out.resize(7 + 19, ' ');
  out += " " + check.text;
  if (!check.fix.empty()) out += "\n                           fix: " + check.fix;
  return out + "\n";
}

std::string checks_json(const std::vector<Check>& checks) {
  std::string out = "[";
  for (const Check& check : checks) {
    if (out.size() > 1) out += ',';
    out += R"({"name":)" + json_string(check.name) + R"(,"verdict":)" + json_string(verdict_name(check.verdict)) +
           R"(,"text":)" + json_string(check.text) + R"(,"fix":)" + json_string(check.fix) + "}";
  }
  return out + "]\n";
}

}  // namespace kilat::cli
