// Signing of requests, by the names of this folder; see auth/request_signature.h. Pure; any thread.
#pragma once

#include "auth/request_signature.h"

namespace kilat::cli {

using Credentials = auth::ApiCredentials;
using auth::Parameters;
using auth::percent_encoded;
using auth::signed_query;

}  // namespace kilat::cli
