// Entries of socketio.namespaces: a name and words behind it, as in "/shop app=shop scope=shop.". Pure functions; any
// thread.
#pragma once

#include <string>
#include <string_view>

namespace kilat::config {

struct NamespaceEntry {
  std::string name;   ///< "/shop"
  std::string app;    ///< id; empty: that of socketio.app
  std::string scope;  ///< without the word: the name without its slash, and a colon
};

/// A rule in the sense of text_rules.h for one entry.
std::string namespace_rule(std::string& text);

/// Takes an entry apart that the rule accepts.
NamespaceEntry parse_namespace(std::string_view text);

/// "polling" or "websocket".
std::string transport_rule(std::string& text);

}  // namespace kilat::config
