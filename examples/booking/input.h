// What requests bring, checked: throws Refusal with 400 for what is no JSON object, 404 for a path that names nothing,
// 422 for a member that is missing or not what it must be.
#pragma once

#include <kilat/http.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace examples::booking {

/// The body of a request as an object; an empty body is an empty object.
boost::json::object object_of(const kilat::web::Request& request);

/// A whole number from `least` to `most`.
std::int64_t integer_in(const boost::json::object& object, std::string_view name, std::int64_t least,
                        std::int64_t most);

/// A text of 1 to `bytes_max` bytes without control characters, spaces around it left out.
std::string text_in(const boost::json::object& object, std::string_view name, std::size_t bytes_max);

/// The number at `:id` of the path.
std::int64_t id_in(const kilat::web::Request& request);

/// The header Idempotency-Key: 1 to 128 printable characters, or empty when there is none.
std::string idempotency_key_in(const kilat::web::Request& request);

}  // namespace examples::booking
