#include "auth/request_signature.h"

#include "auth/hmac.h"

namespace kilat::auth {
namespace {

std::string joined(const Parameters& parameters, bool escaped) {
  std::string out;
  for (const auto& [name, value] : parameters) {
    if (!out.empty()) out += '&';
    out += name + '=' + (escaped ? percent_encoded(value) : value);
  }
  return out;
}

}  // namespace

std::string signed_query(const ApiCredentials& credentials, std::string_view method, std::string_view path,
                         Parameters parameters, std::string_view body, uint64_t unix_seconds) {
  parameters["auth_key"] = credentials.key;
  parameters["auth_timestamp"] = std::to_string(unix_seconds);
  parameters["auth_version"] = "1.0";
  if (!body.empty()) parameters["body_md5"] = md5_hex(body);

  std::string message(method);
  message.append("\n").append(path).append("\n").append(joined(parameters, false));
  return joined(parameters, true) + "&auth_signature=" + hmac_sha256_hex(credentials.secret, message);
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                            c == '.' || c == '_' || c == '~';
    if (unreserved) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

}  // namespace kilat::auth
