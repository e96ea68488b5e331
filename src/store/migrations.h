// The tables of the database, as the steps that lead to them. PRAGMA user_version counts the steps a file has gone; a
// step is never changed once it was released, only followed by another.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "store/database.h"

namespace kilat::store {

/// In PRAGMA application_id ("Kila"), so that no other program's database is taken for ours.
inline constexpr int64_t kApplicationId = 0x4b696c61;

/// All steps, in order; each is SQL of any number of statements.
std::span<const char* const> migrations();

/// Brings the file to the last of `steps`, each in a transaction together with its number. Refuses a file of another
/// program and one that is beyond the last step. Of two processes at once one goes each step. `application_id` tells
/// the kinds of our files apart.
Outcome<void> migrate(Database& database, std::span<const char* const> steps, int64_t application_id = kApplicationId);

}  // namespace kilat::store
