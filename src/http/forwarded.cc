#include "http/forwarded.h"

#include <algorithm>

#include "http/text.h"

namespace kilat::http {
namespace {

// Takes the last element off a list; commas within quoted strings do not separate (RFC 9110 section 5.6.4).
std::string_view pop_back(std::string_view& list, char separator) {
  bool quoted = false;
  for (size_t i = list.size(); i-- > 0;) {
    if (list[i] == '"' && (i == 0 || list[i - 1] != '\\')) quoted = !quoted;
    if (list[i] == separator && !quoted) {
      const std::string_view last = list.substr(i + 1);
      list = list.substr(0, i);
      return trim(last);
    }
  }
  const std::string_view last = list;
  list = {};
  return trim(last);
}

size_t count_entries(std::string_view list) {
  return list.empty() ? 0 : 1 + static_cast<size_t>(std::ranges::count(list, ','));
}

std::optional<bool> is_tls(std::string_view proto) {
  if (iequals(proto, "https") || iequals(proto, "wss")) return true;
  if (iequals(proto, "http") || iequals(proto, "ws")) return false;
  return std::nullopt;
}

std::string_view unquoted(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') return text.substr(1, text.size() - 2);
  return text;
}

// One proxy's entry of Forwarded: `for=192.0.2.1;proto=https` (RFC 7239 section 4).
struct Element {
  std::optional<IpAddress> node;
  std::optional<bool> tls;
};

Element parse_element(std::string_view text) {
  Element out;
  while (!text.empty()) {
    const std::string_view pair = pop_back(text, ';');
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = pair.substr(0, equals);
    const std::string_view value = unquoted(pair.substr(equals + 1));
    if (iequals(name, "for")) out.node = parse_node(value);
    if (iequals(name, "proto")) out.tls = is_tls(value);
  }
  return out;
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<IpAddress> parse_node(std::string_view text) {
  text = trim(unquoted(trim(text)));
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view port = text.substr(end + 1);
    if (!port.empty() && (port.front() != ':' || !is_port(port.substr(1)))) return std::nullopt;
    const auto address = IpAddress::parse(text.substr(1, end - 1));
    return text.substr(1, end - 1).find(':') == std::string_view::npos ? std::nullopt : address;
  }
  // A single colon is a port's; a bare IPv6 address has at least two.
  const size_t colon = text.find(':');
  if (colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
    if (!is_port(text.substr(colon + 1))) return std::nullopt;
    text = text.substr(0, colon);
  }
  return IpAddress::parse(text);
}

Forwarded read_x_forwarded(std::string_view forwarded_for, std::string_view proto, const NetworkList& trusted) {
  Forwarded out;
  size_t from_right = 0;
  std::string_view rest = forwarded_for;
  for (size_t hop = 0; hop < kForwardedHopsMax && !rest.empty(); ++hop) {
    const auto address = parse_node(pop_back(rest, ','));
    if (!address) break;
    out.client = address;
    from_right = hop;
    if (!trusted.contains(*address)) break;
  }
  if (proto.empty()) return out;
  const bool paired = count_entries(proto) == count_entries(forwarded_for);
  for (size_t i = 0; paired && i < from_right; ++i) pop_back(proto, ',');
  out.tls = is_tls(pop_back(proto, ','));
  return out;
}

Forwarded read_forwarded(std::string_view value, const NetworkList& trusted) {
  Forwarded out;
  for (size_t hop = 0; hop < kForwardedHopsMax && !value.empty(); ++hop) {
    const Element element = parse_element(pop_back(value, ','));
    // The entry of the proxy that talks to us says how its own client came, even when it hides who that is.
    if (element.node || hop == 0) out.tls = element.tls;
    if (!element.node) break;
    out.client = element.node;
    if (!trusted.contains(*element.node)) break;
  }
  return out;
}

}  // namespace kilat::http
