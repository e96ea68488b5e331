#include "auth/authenticator.h"

#include <algorithm>
#include <new>
#include <utility>

#include "auth/key_set.h"
#include "auth/token.h"

namespace kilat::auth {

struct Authenticator::App {
  JwtSettings settings;
  std::shared_ptr<const KeySet> keys;
  bool from_url = false;
  uint64_t wanted_ms = 0;   ///< when the keys were asked for, so that this is not done for each token; 0: not yet
  uint32_t generation = 0;  ///< of the keys
};

Authenticator::Authenticator(KeySource& source) : source_(source) {}
Authenticator::~Authenticator() = default;

Authenticator::App* Authenticator::find(uint32_t app) const {
  return app < apps_.size() ? apps_[app].get() : nullptr;
}

Authenticator::App& Authenticator::make(uint32_t app) {
  if (app >= apps_.size()) apps_.resize(app + 1);
  if (!apps_[app]) apps_[app] = std::make_unique<App>();
  return *apps_[app];
}

void Authenticator::configure(uint32_t app, const JwtSettings& settings) {
  // Most apps take no tokens, and there may be many.
  if (!settings.enabled() && find(app) == nullptr) return;
  App& it = make(app);
  if (it.settings == settings) return;
  it.settings = settings;
  it.from_url = std::ranges::any_of(settings.keys, is_key_url);
}

void Authenticator::set_keys(uint32_t app, std::shared_ptr<const KeySet> keys) {
  App& it = make(app);
  it.keys = std::move(keys);
  ++it.generation;
  it.wanted_ms = 0;  // what is missing in these may be asked for at once
  review_ = true;
  review();
}

bool Authenticator::enabled(uint32_t app) const {
  const App* it = find(app);
  return it != nullptr && it->settings.enabled();
}

const JwtSettings& Authenticator::settings(uint32_t app) const {
  static const JwtSettings kNone;
  const App* it = find(app);
  return it == nullptr ? kNone : it->settings;
}

Authenticator::Outcome Authenticator::judge(const App& app, std::string_view token) const {
  if (!app.keys) return std::unexpected(Reason::kTokenKeysUnavailable);
  auto checked = check_token(token, app.settings, *app.keys, now_unix_s_);
  if (checked) return std::move(*checked);
  return std::unexpected(checked.error().reason);
}

bool Authenticator::may_wait(const App& app, const Outcome& outcome) {
  if (outcome) return false;
  if (!app.keys) return true;
  return outcome.error() == Reason::kTokenKeyUnknown && app.from_url;
}

void Authenticator::want_keys(uint32_t app, App& it) {
  if (!it.from_url || (it.wanted_ms != 0 && now_ms_ - it.wanted_ms < kWantEveryMs)) return;
  it.wanted_ms = now_ms_;
  source_.want_keys(app, it.keys.get());
}

void Authenticator::identify(uint32_t app, std::string_view token, Done done) {
  App* it = find(app);
  if (it == nullptr || !it->settings.enabled()) return done(std::unexpected(Reason::kTokensNotTaken));
  if (token.size() > kTokenBytesMax) return done(std::unexpected(Reason::kTokenInvalid));
  const Outcome outcome = judge(*it, token);
  if (!may_wait(*it, outcome)) return done(outcome);
  if (waiting_.size() >= kWaitingMax) return done(std::unexpected(Reason::kTokenKeysUnavailable));
  waiting_.push_back({app, now_ms_ + kWaitMs, it->generation, std::string(token), std::move(done)});
  want_keys(app, *it);
}

// Whether a token goes on waiting although there are newer keys; else `outcome` is final.
bool Authenticator::stays(const App& app, const Waiting& one, Outcome& outcome) const {
  try {
    outcome = judge(app, one.token);
  } catch (const std::bad_alloc&) {
    outcome = std::unexpected(Reason::kTokenKeysUnavailable);
    return false;
  }
  if (!may_wait(app, outcome)) return false;
  // What was asked for before the token came may be older than its key.
  return !app.keys || (app.keys->fetched() && app.keys->as_of_ms() < one.until_ms - kWaitMs);
}

// Looks at those again whose app has got keys since. All outcomes are known before the first is told, because whoever
// hears of one may come back here.
void Authenticator::review() {
  if (!review_) return;
  std::vector<std::pair<Done, Outcome>> known;
  std::vector<uint32_t> wanted;
  // From here on nothing throws: half of a list would be lost.
  known.reserve(kReviewMax);
  wanted.reserve(kReviewMax);
  review_ = false;
  size_t looked_at = 0;
  std::erase_if(waiting_, [&](Waiting& one) {
    const App& app = *find(one.app);
    if (one.generation == app.generation) return false;
    if (looked_at == kReviewMax) {
      review_ = true;
      return false;
    }
    ++looked_at;
    one.generation = app.generation;
    Outcome outcome;
    if (stays(app, one, outcome)) {
      wanted.push_back(one.app);
      return false;
    }
    known.emplace_back(std::move(one.done), std::move(outcome));
    return true;
  });
  for (const uint32_t app : wanted) want_keys(app, *find(app));
  for (auto& [done, outcome] : known) tell(done, outcome);
}

// One that has no memory to hear it must not keep the others from hearing.
void Authenticator::tell(Done& done, const Outcome& outcome) {
  try {
    done(outcome);
  } catch (const std::bad_alloc&) {
    done = nullptr;
  }
}

void Authenticator::tick(uint64_t now_ms, uint64_t now_unix_s) {
  now_ms_ = now_ms;
  now_unix_s_ = now_unix_s;
  review();
  while (!waiting_.empty() && waiting_.front().until_ms <= now_ms_) {
    Done done = std::move(waiting_.front().done);
    waiting_.pop_front();
    tell(done, std::unexpected(Reason::kTokenKeysUnavailable));
  }
}

}  // namespace kilat::auth
