// How the store says that it could not: what is wrong with the file, and what to do. Never holds a secret.
#pragma once

#include <expected>
#include <new>
#include <string>
#include <vector>

namespace kilat::store {

struct Fault {
  std::string why;                    ///< the rest of "cannot use FILE: …"
  std::vector<std::string> remedies;  ///< commands or edits, one a line
  bool damaged = false;               ///< SQLite has found that the file is not what it was
};

template <typename T>
using Outcome = std::expected<T, Fault>;

/// What `work` returns, an Outcome; where it runs out of memory, that is its fault. For the writers' threads, above
/// which nobody would catch it.
template <typename Work>
auto or_out_of_memory(Work&& work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return std::unexpected(Fault{"out of memory", {}});
  }
}

}  // namespace kilat::store
