#include "scada/answers.h"

namespace examples::scada {

using kilat::web::Request;
using kilat::web::Response;

Response refusal(int status, std::string_view error) {
  return Response::json({{"error", error}}, status);
}

Response refusal(const kilat::PublishFailure& failure) {
  if (failure.status >= 400 && failure.status < 500) return refusal(static_cast<int>(failure.status), failure.message);
  return refusal(503, failure.message);
}

std::optional<Response> refused(const Tokens& tokens, const Request& request, std::string_view role) {
  const std::optional<User> user = tokens.user_of(request);
  if (!user) return refusal(401, "log in first");
  if (!user->has_role(role)) return refusal(403, "only for the role " + std::string(role));
  return std::nullopt;
}

}  // namespace examples::scada
