// Why a request is not done: thrown by what reads requests and by what does the work, answered by the API as
// {"error": what()}.
#pragma once

#include <stdexcept>
#include <string>

namespace examples {

struct Refusal : std::runtime_error {
  Refusal(int status_, const std::string& message) : std::runtime_error(message), status(status_) {}
  int status;  ///< of HTTP
};

}  // namespace examples
