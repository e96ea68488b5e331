// What clients send, looked at: a member of a JSON body that is missing, of the wrong kind or out of bounds ends in a
// Refusal, which becomes the answer {"error": "…"}.
#pragma once

#include <kilat/http.h>

#include <boost/json.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/refusal.h"

namespace examples::noc {

class Input {
 public:
  /// Throws Refusal for a body that is no JSON object.
  explicit Input(const kilat::web::Request& request);

  /// Throws Refusal when it is not there, empty, longer than `bytes_max`, or has control characters.
  std::string text(std::string_view name, std::size_t bytes_max) const;
  std::optional<std::string> optional_text(std::string_view name, std::size_t bytes_max) const;
  std::int64_t integer(std::string_view name, std::int64_t least, std::int64_t most) const;
  double number_or(std::string_view name, double otherwise, double least, double most) const;

 private:
  boost::json::object body_;
};

/// A number in the path; throws Refusal (404), because nothing has another kind of id.
std::int64_t id_of(const kilat::web::Request& request, const std::string& name = "id");

}  // namespace examples::noc
