#include "base/member_data.h"

#include <unordered_set>
#include <utility>

#include "base/json_parser.h"
#include "base/json_text.h"

namespace kilat {
namespace {

namespace dom = simdjson::dom;

// A name of our own: what applications sign for their users may have members of any other.
constexpr std::string_view kTokenMember = "kilat_token";

// An id as clients compare it: strings as they are, whole numbers as they were written (Laravel sends both for one
// user).
std::optional<std::string> id_text(const RawMember& id, MemberKind kind) {
  std::string_view text;
  if (id.value.get(text) == simdjson::SUCCESS) return std::string(text);
  const bool whole = id.value.is_int64() || id.value.is_uint64();
  if (kind == MemberKind::kPresence && whole) return std::string(id.raw);
  return std::nullopt;
}

void read_watchlist(const dom::object& object, std::vector<std::string>& watchlist) {
  dom::array ids;
  if (object["watchlist"].get(ids) != simdjson::SUCCESS) return;
  std::unordered_set<std::string> seen;
  for (const dom::element id : ids) {
    std::string_view text;
    if (id.get(text) == simdjson::SUCCESS && !text.empty() && seen.emplace(text).second) watchlist.emplace_back(text);
  }
}

}  // namespace

std::optional<MemberData> parse_member(JsonParser& parser, std::string_view text, MemberKind kind) {
  const std::optional<dom::element> root = parser.parse_copy(text);
  dom::object object;
  if (!root || root->get(object) != simdjson::SUCCESS) return std::nullopt;
  const std::optional<RawMember> id = find_raw(object, text, kind == MemberKind::kSignin ? "id" : "user_id");
  std::optional<std::string> user_id = id ? id_text(*id, kind) : std::nullopt;
  if (!user_id || user_id->empty()) return std::nullopt;

  MemberData member;
  member.user_id = std::move(*user_id);
  const std::optional<RawMember> info = find_raw(object, text, "user_info");
  if (info && !info->value.is_null()) {
    if (!info->value.is_object()) return std::nullopt;
    member.user_info = info->raw;
  }
  if (kind == MemberKind::kSignin) {
    read_watchlist(object, member.watchlist);
    member.token = string_member(object, kTokenMember).value_or(std::string_view());
  }
  return member;
}

void append_member(std::string& json, MemberKind kind, std::string_view user_id, std::string_view user_info,
                   std::string_view token) {
  json += kind == MemberKind::kSignin ? R"({"id":)" : R"({"user_id":)";
  append_json_string(json, user_id);
  if (!user_info.empty()) {
    json += R"(,"user_info":)";
    json += user_info;
  }
  if (!token.empty()) {
    json += ',';
    append_json_string(json, kTokenMember);
    json += ':';
    append_json_string(json, token);
  }
  json += '}';
}

}  // namespace kilat
