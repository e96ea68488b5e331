// What a text setting must look like beyond its length. A rule answers what is wrong ("" when nothing is) and may bring
// the text to its normal form. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kilat::config {

/// An IPv4 or IPv6 address, or "localhost" (which becomes 127.0.0.1: a name could mean two addresses).
std::string host_rule(std::string& text);

/// "HOST:PORT" or "[IPv6]:PORT".
std::string listen_rule(std::string& text);

/// As listen_rule, or "".
std::string optional_listen_rule(std::string& text);

/// "" or what a name of a metric may begin with: letters, digits, _ and :, no digit first.
std::string metric_prefix_rule(std::string& text);

/// "" or "/a/b": begins with a slash and does not end with one.
std::string path_prefix_rule(std::string& text);

/// Letters, digits and - . _ ~ only (RFC 3986 section 2.3, unreserved): such a text needs no escape in a path.
std::string url_word_rule(std::string& text);

/// An address, a network such as 10.0.0.0/8, or "unix".
std::string network_rule(std::string& text);

/// An algorithm of tokens: HS, RS, PS or ES with 256, 384 or 512.
std::string algorithm_rule(std::string& text);

/// "" or http:// or https:// and a host.
std::string url_rule(std::string& text);

/// A path of auth_paths: as path_prefix_rule, and not empty.
std::string auth_path_rule(std::string& text);

/// An entry of auth/channel_rules.h.
std::string channel_rule(std::string& text);

/// An entry of flow/flow_rule.h.
std::string flow_rule(std::string& text);

/// An entry of hub/field_rule.h.
std::string field_rule(std::string& text);

/// An entry of hub/history_rules.h.
std::string history_rule(std::string& text);

/// Takes a text that listen_rule accepts apart.
void split_listen(std::string_view text, std::string& host, uint16_t& port);

/// The reverse: brackets around IPv6 addresses.
std::string join_listen(std::string_view host, uint16_t port);

/// Whether only this machine can reach a server on `host`, an address that host_rule accepts.
bool is_loopback(std::string_view host);

}  // namespace kilat::config
