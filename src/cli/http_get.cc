#include "cli/http_get.h"

#include <curl/curl.h>

#include <memory>

#include "cli/api_client.h"

namespace kilat::cli {
namespace {

struct EasyFree {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};

size_t collect(char* bytes, size_t one, size_t size, void* into) {
  auto& body = *static_cast<std::string*>(into);
  if (body.size() + one * size > kAnswerBytesMax) return 0;
  body.append(bytes, one * size);
  return one * size;
}

}  // namespace

Outcome<HttpAnswer> http_get(const HttpAddress& address, const std::string& path, uint32_t limit_ms) {
  const std::unique_ptr<CURL, EasyFree> curl(curl_easy_init());
  const std::string url = address.url + path;
  HttpAnswer answer;
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(limit_ms));
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &collect);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer.body);
  if (!address.unix_socket.empty()) {
    curl_easy_setopt(curl.get(), CURLOPT_UNIX_SOCKET_PATH, address.unix_socket.c_str());
  }
  if (address.trust_any) {
    curl_easy_setopt(curl.get(), CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(curl.get(), CURLOPT_SSL_VERIFYHOST, 0L);
  }
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) {
    return std::unexpected(Failure{"no answer from the server", url, curl_easy_strerror(code), {"kilat serve"}});
  }
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

}  // namespace kilat::cli
