// What systemd and a service say to each other: state of the service (sd_notify(3)), sockets that systemd opened for it
// (sd_listen_fds(3)), and how often it wants a sign of life. Without systemd all of it does nothing.
// The protocol is a datagram and three environment variables, so no library is needed. notify(): any thread; the
// others: main thread, before there are others.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace kilat::app::systemd {

/// Sends "READY=1", "STATUS=…" and the like, separated by line feeds. False when nobody listens.
bool notify(std::string_view text);

/// "RELOADING=1" with the clock that Type=notify-reload asks for.
void notify_reloading();

/// The listening sockets handed over for this process, made non-blocking and close-on-exec; the variables are removed,
/// so that no child takes them for its own. Empty without socket activation.
std::vector<int> take_listening_sockets();

/// Milliseconds within which systemd wants to see "WATCHDOG=1"; 0: it does not.
uint64_t watchdog_ms();

}  // namespace kilat::app::systemd
