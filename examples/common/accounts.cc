#include "common/accounts.h"

#include <kilat/message.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <stdexcept>

namespace examples {
namespace json = boost::json;
namespace {

constexpr int kRounds = 100'000;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;

std::string hash_of(std::string_view password, std::string_view salt) {
  std::string hash(kHashBytes, '\0');
  if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                        reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()), kRounds,
                        EVP_sha256(), static_cast<int>(hash.size()),
                        reinterpret_cast<unsigned char*>(hash.data())) != 1) {
    throw std::runtime_error("could not hash a password");
  }
  return hash;
}

std::string fresh_salt() {
  std::string salt(kSaltBytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(salt.data()), static_cast<int>(salt.size())) != 1) {
    throw std::runtime_error("no random bytes");
  }
  return salt;
}

/// Columns id, name, roles.
User user_of(const Statement& row) {
  return {.id = row.text(0),
          .name = row.text(1),
          .roles = json::value_to<std::vector<std::string>>(json::parse(row.text(2)))};
}

}  // namespace

Accounts::Accounts(Database& database) : database_(database) {
  database_.script(
      "create table if not exists accounts (id text primary key, name text not null, roles text not null,"
      " login text not null unique, salt text not null, hash text not null)");
}

void Accounts::add(const User& user, std::string_view login, std::string_view password) {
  const std::string salt = fresh_salt();
  database_.run("insert into accounts values (?1, ?2, ?3, ?4, ?5, ?6) on conflict do nothing", user.id, user.name,
                json::serialize(json::value_from(user.roles)), login, salt, hash_of(password, salt));
}

std::optional<User> Accounts::check(std::string_view login, std::string_view password) {
  Statement row = database_.query("select id, name, roles, salt, hash from accounts where login = ?1", login);
  const bool known = row.step();
  // Unknown names cost as much as known ones, so that the time of the answer does not tell which names there are.
  const std::string hash = hash_of(password, known ? row.text(3) : std::string(kSaltBytes, '\0'));
  if (!known || CRYPTO_memcmp(hash.data(), row.text(4).data(), kHashBytes) != 0) return std::nullopt;
  return user_of(row);
}

std::optional<User> Accounts::find(std::string_view id) {
  Statement row = database_.query("select id, name, roles from accounts where id = ?1", id);
  if (!row.step()) return std::nullopt;
  return user_of(row);
}

}  // namespace examples
