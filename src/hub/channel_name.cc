#include "hub/channel_name.h"

#include <algorithm>

namespace kilat::hub {
namespace {

using Access = ChannelKind::Access;

struct Prefix {
  std::string_view text;
  ChannelKind kind;
};

constexpr Prefix kPrefixes[] = {
    {kUserChannelPrefix, {Access::kUser, false}},
    {"presence-cache-", {Access::kPresence, true}},
    {"presence-", {Access::kPresence, false}},
    {"private-encrypted-cache-", {Access::kEncrypted, true}},
    {"private-encrypted-", {Access::kEncrypted, false}},
    {"private-cache-", {Access::kPrivate, true}},
    {"private-", {Access::kPrivate, false}},
    {"cache-", {Access::kPublic, true}},
};

bool strict_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-_=@,.;").find(c) != std::string_view::npos;
}

bool lax_character(char c) {
  return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
}

}  // namespace

ChannelKind kind_of(std::string_view channel) {
  for (const Prefix& prefix : kPrefixes) {
    if (channel.starts_with(prefix.text)) return prefix.kind;
  }
  return {};
}

std::string_view bare_name(std::string_view channel) {
  for (const Prefix& prefix : kPrefixes) {
    if (channel.starts_with(prefix.text)) return channel.substr(prefix.text.size());
  }
  return channel;
}

bool valid_channel_name(std::string_view channel, bool strict) {
  if (channel.starts_with('#')) {
    if (!channel.starts_with(kUserChannelPrefix) || channel.size() == kUserChannelPrefix.size()) return false;
    channel.remove_prefix(1);
  }
  return !channel.empty() && std::ranges::all_of(channel, strict ? strict_character : lax_character);
}

std::string_view user_of(std::string_view channel) {
  return channel.substr(kUserChannelPrefix.size());
}

}  // namespace kilat::hub
