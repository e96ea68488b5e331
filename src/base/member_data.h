// Who somebody is, as backends sign it for Pusher and Socket.IO clients alike: channel_data and user_data.
// Pure functions; the thread of the parser.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kilat {

class JsonParser;

/// `channel_data` of a presence subscription, or the user object of a sign-in.
struct MemberData {
  std::string user_id;
  std::string user_info;               ///< raw JSON, an object; empty when there was none
  std::vector<std::string> watchlist;  ///< sign-in only; without duplicates
  std::string token;                   ///< sign-in only: the token that this server has signed it for; or empty
};

enum class MemberKind : uint8_t {
  kPresence,  ///< `user_id` is a string, or a whole number, which becomes its text
  kSignin,    ///< `id` is a string
};

/// Writes such an object; `user_info` and `token` may be empty, and are left out then.
void append_member(std::string& json, MemberKind kind, std::string_view user_id, std::string_view user_info,
                   std::string_view token = {});

/// Nothing when `text` is no JSON object, the id is missing, empty or of another type, or `user_info` is no object.
/// `text` may not lie in a document of `parser`, because that ends.
std::optional<MemberData> parse_member(JsonParser& parser, std::string_view text, MemberKind kind);

}  // namespace kilat
