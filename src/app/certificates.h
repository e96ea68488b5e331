// Certificates: loads what [tls] names, and looks after how long it is still good.
// Owner: Server. Any thread may call load(); what it returns is immutable and shared with the shards.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "config/settings.h"
#include "net/tls_context.h"

namespace kilat::app {

/// Null without a certificate. The error names the file and the cause.
Result<std::shared_ptr<const net::TlsContext>> load_certificates(const config::TlsSettings& settings);

inline constexpr int64_t kExpiryWarningDays = 14;

/// Writes a warning to the log if a certificate has expired or will within kExpiryWarningDays.
void warn_of_expiry(const net::TlsContext& context, int64_t now_unix_s);

}  // namespace kilat::app
