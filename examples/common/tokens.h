// JSON Web Tokens (RFC 7519) for the users of the examples, signed with HS256: what a login answers, what pages send as
// a bearer token, and what Kilat checks with the same secret (jwt_secret in kilat.toml).
#pragma once

#include <boost/json/fwd.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kilat::web {
struct Request;
}

namespace examples {

struct User {
  std::string id;  ///< "sub"
  std::string name;
  std::vector<std::string> roles;
  bool has_role(std::string_view role) const;
};

/// {id, name, roles}: what a page is told of its user.
boost::json::object to_json(const User& user);

class Tokens {
 public:
  /// The secret has 32 bytes at least.
  explicit Tokens(std::string secret) : secret_(std::move(secret)) {}
  std::string sign(const User& user, std::chrono::seconds lifetime) const;
  /// Nothing for a bad signature, a token that has expired, or one of somebody else's make.
  std::optional<User> verify(std::string_view token) const;
  /// The user of `Authorization: Bearer …`.
  std::optional<User> user_of(const kilat::web::Request& request) const;

 private:
  std::string secret_;
};

}  // namespace examples
