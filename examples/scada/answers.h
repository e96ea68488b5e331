// Answers that several routes give, and who may ask. Any thread.
#pragma once

#include <kilat/http.h>
#include <kilat/publisher.h>

#include <optional>
#include <string>
#include <string_view>

#include "common/tokens.h"

namespace examples::scada {

/// {"error": "…"}
kilat::web::Response refusal(int status, std::string_view error);
/// What the server that we carry said no to.
kilat::web::Response refusal(const kilat::PublishFailure& failure);
/// 401 without a valid token, 403 without the role; nothing when the request may go on.
std::optional<kilat::web::Response> refused(const Tokens& tokens, const kilat::web::Request& request,
                                            std::string_view role);

}  // namespace examples::scada
