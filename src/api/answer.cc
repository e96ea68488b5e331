#include "api/answer.h"

#include "base/json_text.h"

namespace kilat::api {

http::Response ok(std::string json) {
  return {.status = 200, .content_type = kJson, .body = std::move(json)};
}

http::Response refusal(Reason reason, std::string_view detail) {
  const ReasonRow& row = reason_row(reason);
  std::string text(row.text);
  if (!detail.empty()) {
    text += ": ";
    text += detail;
  }
  std::string body = R"({"error":)";
  append_json_string(body, text);
  body += R"(,"code":)";
  append_json_number(body, row.http_status);
  body += R"(,"reason":")";
  body += row.id;
  body += R"("})";
  http::Response response{.status = row.http_status, .content_type = kJson, .body = std::move(body), .reason = reason};
  if (row.http_status == 503 || row.http_status == 429) response.headers.push_back({"Retry-After", "1"});
  return response;
}

}  // namespace kilat::api
