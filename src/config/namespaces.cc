#include "config/namespaces.h"

#include "base/words.h"

namespace kilat::config {
namespace {

constexpr std::string_view kApp = "app=";
constexpr std::string_view kScope = "scope=";
constexpr size_t kNameMax = 128;

}  // namespace

std::string namespace_rule(std::string& text) {
  std::string_view left = text;
  const std::string_view name = take_word(left);
  if (name.size() < 2 || name.front() != '/') return "must begin with a slash and a name, for example \"/shop\"";
  if (name.size() > kNameMax) return "may have a name of 128 bytes at most";
  if (name.find(',') != std::string_view::npos) return "may hold no comma";
  while (!left.empty()) {
    const std::string_view word = take_word(left);
    if (!word.empty() && !word.starts_with(kApp) && !word.starts_with(kScope)) {
      return "has a word that is neither app=ID nor scope=TEXT";
    }
  }
  return {};
}

NamespaceEntry parse_namespace(std::string_view text) {
  NamespaceEntry entry;
  entry.name = take_word(text);
  entry.scope = entry.name.substr(1) + ":";
  while (!text.empty()) {
    const std::string_view word = take_word(text);
    if (word.starts_with(kApp)) entry.app = word.substr(kApp.size());
    if (word.starts_with(kScope)) entry.scope = word.substr(kScope.size());
  }
  return entry;
}

std::string transport_rule(std::string& text) {
  return text == "polling" || text == "websocket" ? "" : "must be \"polling\" or \"websocket\"";
}

}  // namespace kilat::config
