#include "config/listen.h"

#include <sys/un.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "base/words.h"
#include "config/settings.h"
#include "config/text_rules.h"

namespace kilat::config {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kMode = "mode=";
constexpr std::string_view kBlanks = " \t";

std::string read_address(std::string_view word, Listen& out) {
  if (word.starts_with(kUnix)) {
    out.path = word.substr(kUnix.size());
    if (!out.path.starts_with('/')) return "must name a Unix socket by its full path, for example unix:/run/kilat.sock";
    if (out.path.size() >= sizeof(sockaddr_un{}.sun_path)) return "names a Unix socket with a path over 107 bytes";
    return {};
  }
  std::string text(word);
  if (std::string wrong = listen_rule(text); !wrong.empty()) return wrong;
  split_listen(text, out.host, out.port);
  return {};
}

std::string read_word(std::string_view word, Listen& out) {
  if (word == "tls") {
    out.tls = true;
  } else if (word == "proxy_protocol") {
    out.proxy_protocol = true;
  } else if (word.starts_with(kMode) && out.local()) {
    const std::string_view digits = word.substr(kMode.size());
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.mode, 8);
    if (error != std::errc() || end != digits.data() + digits.size() || out.mode > 0777) {
      return "has a mode that is not octal, for example mode=0660";
    }
  } else {
    return "has the unknown word \"" + std::string(word.substr(0, 40)) +
           "\"; known are tls, proxy_protocol and, for Unix sockets, mode=0660";
  }
  return {};
}

std::string read_entry(std::string_view text, Listen& out) {
  // The embedded zero matters: a path would end there.
  if (text.find('\0') != std::string_view::npos) return "has a zero byte";
  if (std::string wrong = read_address(take_word(text, kBlanks), out); !wrong.empty()) return wrong;
  for (std::string_view word = take_word(text, kBlanks); !word.empty(); word = take_word(text, kBlanks)) {
    if (std::string wrong = read_word(word, out); !wrong.empty()) return wrong;
  }
  return {};
}

}  // namespace

std::string Listen::address() const {
  return local() ? std::string(kUnix) + path : join_listen(host, port);
}

std::string Listen::text() const {
  std::string out = address();
  if (tls) out += " tls";
  if (proxy_protocol) out += " proxy_protocol";
  if (local()) {
    std::array<char, 16> digits{};
    std::snprintf(digits.data(), digits.size(), " mode=0%o", mode);
    out += digits.data();
  }
  return out;
}

std::string listen_entry_rule(std::string& text) {
  Listen parsed;
  if (std::string wrong = read_entry(text, parsed); !wrong.empty()) return wrong;
  text = parsed.text();
  return {};
}

Listen parse_listen(std::string_view text) {
  Listen out;
  read_entry(text, out);
  return out;
}

std::vector<Listen> listeners(const ServerSettings& server) {
  std::vector<Listen> out;
  out.reserve(server.listen.size() + 1);
  for (const std::string& entry : server.listen) out.push_back(parse_listen(entry));
  if (out.empty()) out.emplace_back();
  const auto first = std::ranges::find_if(out, [](const Listen& listen) { return !listen.local(); });
  if (first != out.end()) {
    first->host = server.host;
    first->port = server.port;
  }
  return out;
}

void set_listen(ServerSettings& server, const std::vector<std::string>& entries) {
  std::vector<Listen> parsed;
  parsed.reserve(entries.size());
  for (const std::string& entry : entries) parsed.push_back(parse_listen(entry));
  const auto first = std::ranges::find_if(parsed, [](const Listen& listen) { return !listen.local(); });
  if (first != parsed.end()) {
    server.host = first->host;
    server.port = first->port;
  }
  const bool simple = parsed.size() == 1 && parsed.front().plain_tcp();
  server.listen = simple ? std::vector<std::string>() : entries;
}

}  // namespace kilat::config
