#include "rvm/status.h"

#include <algorithm>
#include <ranges>

namespace examples::rvm {

std::optional<Status> status_of(std::string_view name) {
  const auto found = std::ranges::find(kStatusNames, name);
  if (found == kStatusNames.end()) return std::nullopt;
  return static_cast<Status>(found - kStatusNames.begin());
}

bool may_administrate(const User& user) {
  return user.has_role("super-admin") || user.has_role("admin");
}

bool may_operate(const User& user) {
  return may_administrate(user) || user.has_role("operator");
}

bool may_read_dashboard(const User& user) {
  return may_operate(user) || user.has_role("technician");
}

std::string_view refusal(const User& user, Status from, Status to) {
  if (may_operate(user)) return "";
  if (!user.has_role("technician")) return "only staff may change machines";
  if (to != Status::maintenance && to != Status::active) return "technicians may set maintenance and active only";
  if (from == Status::inactive) return "only operators may put an inactive machine back into service";
  return "";
}

}  // namespace examples::rvm
