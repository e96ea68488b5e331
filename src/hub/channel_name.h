// What a channel's name says about it (docs/protocol.md). Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace kilat::hub {

/// The kinds in the order in which prefixes are tried. Prefixes are anchored and include their dash.
struct ChannelKind {
  enum class Access : uint8_t { kPublic, kPrivate, kEncrypted, kPresence, kUser };
  Access access = Access::kPublic;
  bool cache = false;

  bool operator==(const ChannelKind&) const = default;
  bool needs_signature() const {
    return access == Access::kPrivate || access == Access::kEncrypted || access == Access::kPresence;
  }
  bool presence() const { return access == Access::kPresence; }
  bool encrypted() const { return access == Access::kEncrypted; }
  bool user() const { return access == Access::kUser; }
};

inline constexpr std::string_view kUserChannelPrefix = "#server-to-user-";

ChannelKind kind_of(std::string_view channel);

/// The name without the prefix of its kind.
std::string_view bare_name(std::string_view channel);

/// Whether `channel` may be used: strict is the SDKs' pattern `^#?[-a-zA-Z0-9_=@,.;]+$`, lax any printable ASCII and
/// any UTF-8 text without control characters. A leading '#' is for user channels only. Length is the caller's matter.
bool valid_channel_name(std::string_view channel, bool strict);

/// The user id of a user channel.
std::string_view user_of(std::string_view channel);

}  // namespace kilat::hub
