#include "auth/app_key.h"

namespace kilat::auth {

AppKey::AppKey(std::string_view secret, std::string_view previous, uint64_t previous_until_s)
    : current_(secret),
      previous_(previous.empty() ? nullptr : std::make_unique<HmacSha256>(previous)),
      previous_until_s_(previous_until_s) {}

bool AppKey::verify(std::string_view message, std::string_view signature, uint64_t now_unix_s) {
  if (current_.verify(message, signature)) return true;
  if (previous_ == nullptr) return false;
  if (previous_until_s_ != 0 && now_unix_s >= previous_until_s_) {
    previous_.reset();
    return false;
  }
  return previous_->verify(message, signature);
}

}  // namespace kilat::auth
