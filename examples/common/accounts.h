// Who may log in: names, roles and salted password hashes (PBKDF2, OpenSSL) in a table of the example's database.
// Belongs to the thread of the database; a check takes tens of milliseconds by design, so it never runs on a shard.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/database.h"
#include "common/tokens.h"

namespace examples {

class Accounts {
 public:
  /// Makes the table `accounts` when it is not there.
  explicit Accounts(Database& database);
  /// Adds a user unless the login name is taken already.
  void add(const User& user, std::string_view login, std::string_view password);
  /// The user, when the password is right.
  std::optional<User> check(std::string_view login, std::string_view password);
  std::optional<User> find(std::string_view id);

 private:
  Database& database_;
};

}  // namespace examples
