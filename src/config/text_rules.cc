#include "config/text_rules.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "auth/channel_rules.h"
#include "auth/key_set.h"
#include "base/ip_address.h"
#include "base/quantity.h"
#include "flow/flow_rule.h"
#include "hub/field_rule.h"
#include "hub/history_rules.h"

namespace kilat::config {
namespace {

bool is_address(const std::string& text) {
  in_addr v4{};
  in6_addr v6{};
  return inet_pton(AF_INET, text.c_str(), &v4) == 1 || inet_pton(AF_INET6, text.c_str(), &v6) == 1;
}

bool unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

}  // namespace

std::string host_rule(std::string& text) {
  if (text == "localhost") text = "127.0.0.1";
  if (text == "*") return "must be an IP address; 0.0.0.0 means every IPv4 address of this machine, :: every address";
  // The embedded zero matters: the C function would stop at it and accept what stands before.
  if (text.find('\0') != std::string::npos || !is_address(text)) return "must be an IP address such as 0.0.0.0 or ::1";
  return {};
}

std::string listen_rule(std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return "must be HOST:PORT, for example 0.0.0.0:6001";
  std::string host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!bracketed && host.find(':') != std::string::npos) return "must have its IPv6 address in brackets: [::1]:6001";
  if (std::string wrong = host_rule(host); !wrong.empty()) return wrong;
  const auto port = parse_whole<uint16_t>(std::string_view(text).substr(colon + 1));
  if (!port) return "must end in a port from 0 to 65535";
  text = join_listen(host, *port);
  return {};
}

std::string optional_listen_rule(std::string& text) {
  return text.empty() ? std::string() : listen_rule(text);
}

std::string metric_prefix_rule(std::string& text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':'; };
  const bool fits = std::ranges::all_of(text, [&](char c) { return letter(c) || digit(c); });
  if (!fits || (!text.empty() && digit(text.front()))) return "may hold letters, digits, _ and : only, no digit first";
  return {};
}

std::string path_prefix_rule(std::string& text) {
  while (!text.empty() && text.back() == '/') text.pop_back();
  if (text.empty()) return {};
  if (text.front() != '/') return "must begin with a slash, for example \"/ws\"";
  if (!std::ranges::all_of(text, [](char c) { return c == '/' || unreserved(c); }))
    return "may hold letters, digits and - . _ ~ / only";
  return {};
}

std::string url_word_rule(std::string& text) {
  if (!std::ranges::all_of(text, unreserved)) return "may hold letters, digits and - . _ ~ only";
  return {};
}

std::string algorithm_rule(std::string& text) {
  return auth::is_algorithm(text) ? "" : "must be HS256, HS384, HS512, or the same with RS, PS or ES";
}

std::string url_rule(std::string& text) {
  if (text.empty()) return {};
  const std::string_view url = text;
  const size_t scheme = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : 0;
  if (scheme == 0 || url.size() == scheme || url[scheme] == '/')
    return "must begin with http:// or https:// and a host";
  return {};
}

std::string auth_path_rule(std::string& text) {
  return text.empty() ? "must be a path such as \"/broadcasting/auth\"" : path_prefix_rule(text);
}

std::string channel_rule(std::string& text) {
  const auto rule = auth::ChannelRule::parse(text);
  return rule ? "" : rule.error();
}

std::string flow_rule(std::string& text) {
  const auto rule = flow::FlowRule::parse(text);
  return rule ? "" : rule.error();
}

std::string field_rule(std::string& text) {
  const auto rule = hub::FieldRule::parse(text);
  return rule ? "" : rule.error();
}

std::string history_rule(std::string& text) {
  const auto rule = hub::HistoryRule::parse(text);
  return rule ? "" : rule.error();
}

std::string network_rule(std::string& text) {
  return NetworkList::check(text);
}

void split_listen(std::string_view text, std::string& host, uint16_t& port) {
  const size_t colon = text.rfind(':');
  host = text.substr(0, colon);
  if (host.front() == '[') host = host.substr(1, host.size() - 2);
  std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
}

std::string join_listen(std::string_view host, uint16_t port) {
  const bool v6 = host.find(':') != std::string_view::npos;
  std::string out;
  if (v6) out += '[';
  out += host;
  if (v6) out += ']';
  return out + ":" + std::to_string(port);
}

bool is_loopback(std::string_view host) {
  const std::string text(host);
  in_addr v4{};
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  if (inet_pton(AF_INET6, text.c_str(), &v6) == 1) return IN6_IS_ADDR_LOOPBACK(&v6) != 0;
  return text == "localhost";
}

}  // namespace kilat::config
