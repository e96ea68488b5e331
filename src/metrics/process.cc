#include "metrics/process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace kilat::metrics {
namespace {

std::string read_text(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

uint64_t leading_number(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

uint64_t kilobytes_of(std::string_view text, std::string_view name) {
  const size_t at = text.find(name);
  return at == std::string_view::npos ? 0 : 1024 * leading_number(text.substr(at + name.size()));
}

uint64_t resident_bytes() {
  const std::string statm = read_text("/proc/self/statm");
  const size_t second = statm.find(' ');
  if (second == std::string::npos) return 0;
  return leading_number(std::string_view(statm).substr(second)) * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

uint64_t memory_limit_bytes() {
  uint64_t limit = kilobytes_of(read_text("/proc/meminfo"), "MemTotal:");
  // Version 2 of control groups, as a container sees its own; "max" is not a number and stays 0.
  const uint64_t group = leading_number(read_text("/sys/fs/cgroup/memory.max"));
  if (group != 0) limit = limit == 0 ? group : std::min(limit, group);
  return limit;
}

ProcessUsage process_usage() {
  ProcessUsage usage;
  usage.resident_bytes = resident_bytes();
  std::error_code error;
  for (std::filesystem::directory_iterator files("/proc/self/fd", error), end; !error && files != end;
       files.increment(error)) {
    ++usage.open_files;
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) usage.open_files_max = limit.rlim_cur;
  rusage times{};
  if (::getrusage(RUSAGE_SELF, &times) == 0) usage.cpu_seconds = seconds(times.ru_utime) + seconds(times.ru_stime);
  return usage;
}

std::string_view build_version() {
  return KILAT_VERSION;
}

}  // namespace kilat::metrics
