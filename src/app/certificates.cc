#include "app/certificates.h"

#include "base/log.h"

namespace kilat::app {

Result<std::shared_ptr<const net::TlsContext>> load_certificates(const config::TlsSettings& settings) {
  if (settings.certificate.empty()) return nullptr;
  net::TlsOptions options{.pairs = {},
                          .client_certificates = settings.client_certificates,
                          .client_ca = settings.client_ca,
                          .ktls = settings.ktls};
  if (settings.certificate.size() != settings.key.size()) {
    return fail(Reason::kTlsFilesInvalid, "each certificate needs its key");
  }
  for (size_t i = 0; i < settings.certificate.size(); ++i) {
    options.pairs.push_back({settings.certificate[i], settings.key[i]});
  }
  return net::TlsContext::load(options);
}

void warn_of_expiry(const net::TlsContext& context, int64_t now_unix_s) {
  constexpr int64_t kDay = 86'400;
  const int64_t left_s = context.expires_unix_s() - now_unix_s;
  if (left_s >= kExpiryWarningDays * kDay) return;
  const char* event = left_s > 0 ? "certificate_expires_soon" : "certificate_expired";
  log::event(left_s > 0 ? log::Level::kWarn : log::Level::kError, event,
             {{"file", context.expires_first()}, {"days", left_s / kDay}});
}

}  // namespace kilat::app
