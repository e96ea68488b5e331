// One look at a device: is it there, and how long does it take to say so? Nothing but TCP, so no rights are needed.
// Runs on the thread of the given context. Bounds: the timeout, and kAnswerBytesMax of what the device says.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace examples::noc {

inline constexpr std::size_t kAnswerBytesMax = 8 * 1024;

enum class ProbeKind {
  kTcp,     ///< a connection is taken
  kBanner,  ///< … and the device greets, as SSH, SMTP and FTP servers do
  kHttp,    ///< … and GET is answered with a status below 500
};
std::string_view name_of(ProbeKind kind);
std::optional<ProbeKind> probe_kind_of(std::string_view name);

struct ProbeTarget {
  ProbeKind kind = ProbeKind::kTcp;
  std::string address;  ///< an IP address
  std::uint16_t port = 0;
  std::string path = "/";
};

struct ProbeResult {
  bool answered = false;
  double latency_ms = 0;  ///< from the first packet to the answer; also of a failure
  std::string error;      ///< for people; empty when answered
};

/// Calls `done` once, on the thread of the context, unless the context is stopped before.
void probe(boost::asio::io_context& context, const ProbeTarget& target, std::chrono::milliseconds timeout,
           std::function<void(ProbeResult)> done);

}  // namespace examples::noc
