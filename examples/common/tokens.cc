#include "common/tokens.h"

#include <cjose/cjose.h>
#include <kilat/http.h>
#include <kilat/message.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <stdexcept>

namespace examples {
namespace json = boost::json;
namespace {

struct Free {
  void operator()(cjose_jwk_t* key) const { cjose_jwk_release(key); }
  void operator()(cjose_jws_t* token) const { cjose_jws_release(token); }
  void operator()(cjose_header_t* header) const { cjose_header_release(header); }
};
using Key = std::unique_ptr<cjose_jwk_t, Free>;
using Jws = std::unique_ptr<cjose_jws_t, Free>;
using Header = std::unique_ptr<cjose_header_t, Free>;

Key key_of(const std::string& secret) {
  return Key(cjose_jwk_create_oct_spec(reinterpret_cast<const std::uint8_t*>(secret.data()), secret.size(), nullptr));
}

std::optional<User> user_of_claims(const json::value& claims) {
  const json::object& object = claims.as_object();
  if (object.at("exp").to_number<std::int64_t>() <= std::time(nullptr)) return std::nullopt;
  return User{.id = json::value_to<std::string>(object.at("sub")),
              .name = json::value_to<std::string>(object.at("name")),
              .roles = json::value_to<std::vector<std::string>>(object.at("roles"))};
}

}  // namespace

bool User::has_role(std::string_view role) const {
  return std::ranges::find(roles, role) != roles.end();
}

json::object to_json(const User& user) {
  return {{"id", user.id}, {"name", user.name}, {"roles", json::value_from(user.roles)}};
}

std::string Tokens::sign(const User& user, std::chrono::seconds lifetime) const {
  const std::int64_t now = std::time(nullptr);
  const std::string claims = json::serialize(json::object{{"sub", user.id},
                                                          {"name", user.name},
                                                          {"roles", json::value_from(user.roles)},
                                                          {"iat", now},
                                                          {"exp", now + lifetime.count()}});
  const Key key = key_of(secret_);
  const Header header(cjose_header_new(nullptr));
  const bool named = key && header && cjose_header_set(header.get(), CJOSE_HDR_ALG, CJOSE_HDR_ALG_HS256, nullptr) &&
                     cjose_header_set(header.get(), "typ", "JWT", nullptr);
  const Jws token(named ? cjose_jws_sign(key.get(), header.get(), reinterpret_cast<const std::uint8_t*>(claims.data()),
                                         claims.size(), nullptr)
                        : nullptr);
  const char* text = nullptr;  // belongs to the token
  if (!token || !cjose_jws_export(token.get(), &text, nullptr)) throw std::runtime_error("could not sign a token");
  return text;
}

std::optional<User> Tokens::verify(std::string_view token) const {
  const Jws jws(cjose_jws_import(token.data(), token.size(), nullptr));
  if (!jws) return std::nullopt;
  const char* algorithm = cjose_header_get(cjose_jws_get_protected(jws.get()), CJOSE_HDR_ALG, nullptr);
  if (algorithm == nullptr || std::string_view(algorithm) != CJOSE_HDR_ALG_HS256) return std::nullopt;
  if (const Key key = key_of(secret_); !key || !cjose_jws_verify(jws.get(), key.get(), nullptr)) return std::nullopt;
  std::uint8_t* claims = nullptr;  // belongs to the token
  std::size_t size = 0;
  if (!cjose_jws_get_plaintext(jws.get(), &claims, &size, nullptr)) return std::nullopt;
  try {
    return user_of_claims(json::parse(json::string_view(reinterpret_cast<const char*>(claims), size)));
  } catch (const std::exception&) {  // signed with our secret, but not by sign()
    return std::nullopt;
  }
}

std::optional<User> Tokens::user_of(const kilat::web::Request& request) const {
  constexpr std::string_view kBearer = "Bearer ";
  const std::string_view header = request.header("authorization");
  if (!header.starts_with(kBearer)) return std::nullopt;
  return verify(header.substr(kBearer.size()));
}

}  // namespace examples
