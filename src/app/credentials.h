// What a request shows of its client's rights, for the session that it opens. Pure function; any thread.
#pragma once

#include <span>

#include "auth/credentials.h"
#include "http/request.h"
#include "hub/app_settings.h"

namespace kilat::app {

/// Null when the request shows nothing that an app of `apps` would look at.
auth::CredentialsPtr credentials_of(const http::Request& request, std::span<const hub::AppSettings* const> apps);

}  // namespace kilat::app
