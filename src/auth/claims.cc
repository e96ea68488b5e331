#include "auth/claims.h"

#include <algorithm>
#include <charconv>

namespace kilat::auth {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::element_type;
using simdjson::dom::object;

class Flattener {
 public:
  // False when a bound is passed.
  bool add(const std::string& path, const element& value) {
    object members;
    if (value.get(members) == simdjson::SUCCESS) {
      return std::ranges::all_of(members, [&](const simdjson::dom::key_value_pair member) {
        return add((path + ".").append(member.key), member.value);
      });
    }
    array elements;
    if (value.get(elements) == simdjson::SUCCESS) {
      return std::ranges::all_of(elements, [&](const element& one) { return add(path, one); });
    }
    std::optional<std::string> text = plain_text(value);
    if (!text) return true;
    bytes_ += path.size() + text->size();
    if (out.size() >= kClaimsMax || bytes_ > kClaimBytesMax) return false;
    out.emplace_back(path, std::move(*text));
    return true;
  }

  // The members of the whole: what stands below a member without a name begins with a dot.
  bool add_root(const object& members) {
    return std::ranges::all_of(members, [&](const simdjson::dom::key_value_pair member) {
      return add(std::string(member.key), member.value);
    });
  }

  std::vector<std::pair<std::string, std::string>> out;

 private:
  size_t bytes_ = 0;
};

}  // namespace

bool has_twins(const element& value) {
  array elements;
  if (value.get(elements) == simdjson::SUCCESS) return std::ranges::any_of(elements, has_twins);
  object members;
  if (value.get(members) != simdjson::SUCCESS) return false;
  std::vector<std::string_view> names;
  for (const simdjson::dom::key_value_pair member : members) {
    names.push_back(member.key);
    if (has_twins(member.value)) return true;
  }
  std::ranges::sort(names);
  return std::ranges::adjacent_find(names) != names.end();
}

std::optional<element> claim_at(const object& claims, std::string_view path) {
  element found;
  if (claims.at_key(path).get(found) == simdjson::SUCCESS) return found;
  for (size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.', dot + 1)) {
    object inner;
    if (claims.at_key(path.substr(0, dot)).get(inner) != simdjson::SUCCESS) continue;
    if (const auto below = claim_at(inner, path.substr(dot + 1))) return below;
  }
  return std::nullopt;
}

std::optional<std::string> plain_text(const element& value) {
  char digits[32];
  const auto number = [&](auto n) {
    return std::string(digits, std::to_chars(std::begin(digits), std::end(digits), n).ptr);
  };
  switch (value.type()) {
    case element_type::STRING: return std::string(std::string_view(value));
    case element_type::INT64: return number(int64_t(value));
    case element_type::UINT64: return number(uint64_t(value));
    case element_type::DOUBLE: return number(double(value));
    case element_type::BOOL: return bool(value) ? "true" : "false";
    default: return std::nullopt;
  }
}

std::optional<std::vector<std::pair<std::string, std::string>>> flatten(const object& claims) {
  Flattener flattener;
  if (!flattener.add_root(claims)) return std::nullopt;
  return std::move(flattener.out);
}

}  // namespace kilat::auth
