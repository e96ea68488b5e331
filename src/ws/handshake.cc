#include "ws/handshake.h"

#include <openssl/evp.h>

#include <algorithm>

#include "ws/tokens.h"

namespace kilat::ws {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr size_t kSha1Bytes = 20;

bool is_base64_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '/';
}

// Sixteen bytes in base64: 22 characters and two signs of padding. The four bits to spare may be set: old clients do
// so.
bool is_key(std::string_view key) {
  return key.size() == 24 && key.ends_with("==") && std::ranges::all_of(key.substr(0, 22), is_base64_char);
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (value.empty() || std::ranges::any_of(value, is_control)) return;
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

Reason check_upgrade(const UpgradeHeaders& headers) {
  if (headers.method != "GET") return Reason::kHttpMethodNotAllowed;
  if (!headers.http_1_1) return Reason::kHttpVersionUnsupported;
  if (!list_has_token(headers.upgrade, "websocket") || !list_has_token(headers.connection, "upgrade")) {
    return Reason::kWsUpgradeRequired;
  }
  if (trim_blanks(headers.version) != "13") return Reason::kWsVersionUnsupported;
  if (!is_key(trim_blanks(headers.key))) return Reason::kWsKeyInvalid;
  return Reason::kNone;
}

std::string accept_key(std::string_view key) {
  std::string text(trim_blanks(key));
  text.append(kGuid);
  // Fetched once per process: a fetch takes locks and walks the providers.
  static const EVP_MD* const kSha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int digest_size = 0;
  if (EVP_Digest(text.data(), text.size(), digest, &digest_size, kSha1, nullptr) != 1) return {};
  unsigned char encoded[4 * (kSha1Bytes + 2) / 3 + 1];
  const int size = EVP_EncodeBlock(encoded, digest, kSha1Bytes);
  return {reinterpret_cast<const char*>(encoded), static_cast<size_t>(size)};
}

void append_switching_protocols(std::string& out, std::string_view key, std::string_view protocol,
                                std::string_view extensions) {
  out.append("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n");
  append_header(out, "Sec-WebSocket-Accept", accept_key(key));
  append_header(out, "Sec-WebSocket-Protocol", protocol);
  append_header(out, "Sec-WebSocket-Extensions", extensions);
  out.append("\r\n");
}

}  // namespace kilat::ws
