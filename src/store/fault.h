// How the store says that it could not: what is wrong with the file, and what to do. Never holds a secret.
#pragma once

#include <expected>
#include <string>
#include <vector>

namespace kilat::store {

struct Fault {
  std::string why;                    ///< the rest of "cannot use FILE: …"
  std::vector<std::string> remedies;  ///< commands or edits, one a line
};

template <typename T>
using Outcome = std::expected<T, Fault>;

}  // namespace kilat::store
