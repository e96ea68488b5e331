// Values that stand above the file: KILAT_* environment variables, then flags of the command line. Main thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "config/document.h"

namespace kilat::config {

/// Which apps a value of [[app]] is for.
enum class AppScope : uint8_t {
  kOnly,   ///< the only one; with several it is an error
  kFirst,  ///< of another server's variables: the first
  kEvery,  ///< each that has no value of its own
};

struct Override {
  std::string key;    ///< of the schema: "server.port"
  std::string value;  ///< as text
  std::string from;   ///< what to call it in messages: "KILAT_SERVER_PORT", "--port"
  AppScope scope = AppScope::kOnly;
};

/// The variable of a row: "server.port" is KILAT_SERVER_PORT.
std::string variable_of(const Row& row);

/// The overrides in `environment` ("NAME=value" entries), in the order of the schema. A KILAT_ name that no row has
/// becomes a warning in `warnings`.
std::vector<Override> environment_overrides(std::span<const std::string> environment, Diagnostics& warnings);

/// Applies `overrides` in order. Keys of [[app]] concern the only app: one is made if there is none, and with several
/// it is an error.
void apply_overrides(Document& document, std::span<const Override> overrides);

}  // namespace kilat::config
