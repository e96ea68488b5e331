#include "http/response.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <utility>

#include "http/text.h"

namespace kilat::http {
namespace {

constexpr std::array kStatusTexts = std::to_array<std::pair<int, std::string_view>>({
    {100, "Continue"},
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
});

/// Enough for the status line and the usual headers; saves the growth steps of a fresh string.
constexpr size_t kHeadReserve = 384;

void append_number(std::string& out, size_t number, int base = 10) {
  std::array<char, 24> digits;
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), number, base);
  out.append(digits.data(), result.ptr);
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  const size_t begin = out.size();
  out.append(value);
  const auto forbidden = [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; };
  std::replace_if(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), forbidden, ' ');
  out.append("\r\n");
}

void append_cors(std::string& out, const CorsHeaders& cors) {
  if (cors.vary_origin) append_header(out, "Vary", "Origin");
  if (cors.allow_origin.empty()) return;
  append_header(out, "Access-Control-Allow-Origin", cors.allow_origin);
  if (!cors.preflight) return;
  append_header(out, "Access-Control-Allow-Methods", kCorsAllowMethods);
  append_header(out, "Access-Control-Allow-Headers", kCorsAllowHeaders);
  append_header(out, "Access-Control-Max-Age", kCorsMaxAge);
}

bool has_no_body(int status) {
  return status < 200 || status == 204 || status == 304;
}

/// Everything but the framing headers and the empty line.
void append_head(std::string& out, const Response& response, const ResponseOptions& options, bool keep_alive) {
  // A server answers with its own version (RFC 9110, section 6.2), also to an HTTP/1.0 client.
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<size_t>(response.status));
  out.append(" ").append(status_text(response.status)).append("\r\n");
  if (!options.date.empty()) append_header(out, "Date", options.date);
  if (!response.content_type.empty()) append_header(out, "Content-Type", response.content_type);
  append_cors(out, options.cors);
  if (!response.cache_control.empty()) append_header(out, "Cache-Control", response.cache_control);
  for (const HeaderField& field : response.headers) {
    const bool framing = iequals(field.name, "content-length") || iequals(field.name, "transfer-encoding");
    if (!framing && is_token(field.name)) append_header(out, field.name, field.value);
  }
  if (response.status < 200) return;
  if (!keep_alive) {
    append_header(out, "Connection", "close");
  } else if (options.minor_version == 0) {
    append_header(out, "Connection", "keep-alive");
  }
}

}  // namespace

std::string_view status_text(int status) {
  for (const auto& [code, text] : kStatusTexts) {
    if (code == status) return text;
  }
  return "Unknown";
}

std::string http_date(int64_t unix_seconds) {
  // Names of our own: strftime would follow the locale.
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::chrono::sys_seconds time{std::chrono::seconds(unix_seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::array<char, 64> text;
  const int size = std::snprintf(text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT",
                                 kDays[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
                                 kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                                 static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                                 static_cast<int>(clock.seconds().count()));
  return {text.data(), static_cast<size_t>(size)};
}

void append_response(std::string& out, const Response& response, const ResponseOptions& options) {
  const bool no_body = has_no_body(response.status);
  const bool send_body = !no_body && !options.head_only;
  // Never exactly what is needed: several answers may be appended to one string, which must grow by factors.
  if (out.empty()) out.reserve(kHeadReserve + (send_body ? response.body.size() : 0));
  append_head(out, response, options, options.keep_alive);
  if (!no_body) {
    out.append("Content-Length: ");
    append_number(out, response.body.size());
    out.append("\r\n");
  }
  out.append("\r\n");
  if (send_body) out.append(response.body);
}

bool append_stream_head(std::string& out, const Response& response, const ResponseOptions& options) {
  const bool has_body = !has_no_body(response.status);
  const bool can_chunk = options.minor_version >= 1;
  append_head(out, response, options, options.keep_alive && (can_chunk || !has_body));
  if (has_body && can_chunk) out.append("Transfer-Encoding: chunked\r\n");
  out.append("\r\n");
  return has_body && can_chunk && !options.head_only;
}

void append_chunk(std::string& out, std::string_view data) {
  if (data.empty()) return;
  append_number(out, data.size(), 16);
  out.append("\r\n").append(data).append("\r\n");
}

void append_last_chunk(std::string& out) {
  out.append("0\r\n\r\n");
}

}  // namespace kilat::http
