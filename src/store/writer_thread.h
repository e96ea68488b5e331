// Starting the thread that writes a durable file. Pure but for the thread it makes; any thread.
#pragma once

#include <signal.h>

#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "store/fault.h"

namespace kilat::store {

/// Runs `body` in a thread that gets no signals: those are for the main thread. SIGXFSZ would end the process where a
/// write passes a limit of the file's size; while it is blocked the write just fails.
template <typename Body>
Outcome<std::thread> start_writer(Body&& body) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  Outcome<std::thread> out;
  try {
    out = std::thread(std::forward<Body>(body));
  } catch (const std::system_error& error) {
    out = std::unexpected(Fault{std::string("no thread for it: ") + error.what(), {"ulimit -u"}});
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return out;
}

}  // namespace kilat::store
