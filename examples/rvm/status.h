// The states of a machine, and the matrix of who may change which into which. Pure functions, any thread.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "common/tokens.h"

namespace examples::rvm {

enum class Status { active, inactive, maintenance, full, error };

inline constexpr std::array kStatusNames = {"active", "inactive", "maintenance", "full", "error"};

constexpr std::string_view name_of(Status status) {
  return kStatusNames[static_cast<std::size_t>(status)];
}
/// Nothing for a word that is none of the five.
std::optional<Status> status_of(std::string_view name);

/// Roles that read the dashboard; the same four stand in the rule of kilat.toml.
bool may_read_dashboard(const User& user);
/// Roles that decide on machines: super-admin, admin and operator.
bool may_operate(const User& user);
/// Roles that switch the simulation: super-admin and admin.
bool may_administrate(const User& user);

/// Why the user may not make this change; empty: they may. Operators and above may make every change. Technicians may
/// set maintenance and active, but not on a machine that an operator has taken out of service. Nobody else may.
std::string_view refusal(const User& user, Status from, Status to);

}  // namespace examples::rvm
