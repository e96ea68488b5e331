// Answers of the HTTP API: JSON objects, and errors as {"error","code","reason"} (docs/http-api.md). Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/reason.h"
#include "http/response.h"

namespace kilat::api {

inline constexpr std::string_view kJson = "application/json";

/// 200 with a JSON body. SDKs take only 200 and only an object.
http::Response ok(std::string json = "{}");

/// The row's status and text; `detail` is put behind the text. Adds Retry-After where a retry can help.
http::Response refusal(Reason reason, std::string_view detail = {});

}  // namespace kilat::api
