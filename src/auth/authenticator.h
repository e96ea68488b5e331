// Authenticator: says who the bearer of a token is, for all apps of one shard.
// Owner: one shard's thread. A token whose key is not known yet waits until the keys were fetched again.
// Bounds: kWaitingMax tokens wait, each at most kWaitMs; kTokenBytesMax for a token. What waits when the shard ends is
// dropped without an answer.
#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/identity.h"
#include "auth/jwt_settings.h"
#include "base/reason.h"

namespace kilat::auth {

class KeySet;

/// Where keys come from, see Authenticator::set_keys.
class KeySource {
 public:
  /// A token names a key that the app's keys do not hold: fetch them again, unless that was done just now. `keys` are
  /// those it was checked with (null: none yet); where there are newer ones already, set_keys() is under way.
  virtual void want_keys(uint32_t app, const KeySet* keys) = 0;

 protected:
  ~KeySource() = default;
};

class Authenticator {
 public:
  static constexpr size_t kTokenBytesMax = 16 * 1024;
  static constexpr size_t kWaitingMax = 10'000;
  static constexpr uint64_t kWaitMs = 5'000;

  using Outcome = std::expected<IdentityPtr, Reason>;
  /// Called once, on the shard's thread, perhaps before identify() returns.
  using Done = std::move_only_function<void(const Outcome&)>;

  explicit Authenticator(KeySource& source);
  ~Authenticator();

  /// What the app with this index checks tokens by from now on. Keys it had stay until set_keys().
  void configure(uint32_t app, const JwtSettings& settings);
  /// The app's keys: those that wait for one are looked at again, and refused when theirs is still missing.
  void set_keys(uint32_t app, std::shared_ptr<const KeySet> keys);
  /// Whether the app takes tokens.
  bool enabled(uint32_t app) const;
  const JwtSettings& settings(uint32_t app) const;

  /// Checks a token. Refusals: kTokenInvalid, kTokenExpired, kTokenKeyUnknown, kTokenKeysUnavailable.
  void identify(uint32_t app, std::string_view token, Done done);

  /// Once a turn: the time, and the end of those that have waited too long.
  void tick(uint64_t now_ms, uint64_t now_unix_s);
  /// Whether tick() has more to do at once.
  bool busy() const { return review_; }

 private:
  /// Tokens that wait are looked at again in portions, because each costs a signature.
  static constexpr size_t kReviewMax = 128;
  static constexpr uint64_t kWantEveryMs = 1'000;

  struct App;
  struct Waiting {
    uint32_t app;
    uint64_t until_ms;
    uint32_t generation;  ///< of the keys that it was checked with
    std::string token;
    Done done;
  };
  App* find(uint32_t app) const;
  App& make(uint32_t app);
  Outcome judge(const App& app, std::string_view token) const;
  static bool may_wait(const App& app, const Outcome& outcome);
  bool stays(const App& app, const Waiting& one, Outcome& outcome) const;
  void want_keys(uint32_t app, App& it);
  void review();
  static void tell(Done& done, const Outcome& outcome);

  KeySource& source_;
  std::vector<std::unique_ptr<App>> apps_;  ///< null: takes no tokens
  std::deque<Waiting> waiting_;             ///< in the order of until_ms
  bool review_ = false;                     ///< keys are newer than what some have waited for
  uint64_t now_ms_ = 0;
  uint64_t now_unix_s_ = 0;
};

}  // namespace kilat::auth
