// The signature of an HTTP API request (docs/http-api.md). Pure but for the key's scratch memory; one shard.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "auth/app_key.h"
#include "base/reason.h"
#include "http/request.h"
#include "http/uri.h"
#include "hub/app_table.h"

namespace kilat::api {

inline constexpr uint64_t kTimestampWindowS = 600;

/// The same for the app's API key alone, which needs no body. Nothing: the request has none.
std::optional<Reason> authenticate_bearer(const http::Request& request, const hub::App& app);

/// kNone, or why the request is refused. `prefix` is the server's path prefix: SDKs sign with and without it.
Reason authenticate(const http::Request& request, const http::Query& query, std::string_view prefix,
                    const hub::App& app, auth::AppKey& key, uint64_t now_unix_s);

}  // namespace kilat::api
