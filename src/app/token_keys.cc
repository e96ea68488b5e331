#include "app/token_keys.h"

#include <algorithm>
#include <charconv>
#include <new>
#include <utility>

#include "app/shard.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/token_key_files.h"
#include "http/uri.h"

namespace kilat::app {
namespace {

constexpr uint64_t kSecondMs = 1'000;

}  // namespace

TokenKeys::TokenKeys(std::span<const std::unique_ptr<Shard>> shards, net::HttpClient& client)
    : shards_(shards), client_(client) {}

Result<TokenKeys::Files> TokenKeys::read(const std::vector<hub::AppSettings>& apps) {
  Files files;
  for (const hub::AppSettings& app : apps) {
    for (const std::string& entry : app.jwt.keys) {
      if (auth::is_key_url(entry) || files.contains(entry)) continue;
      auto text = config::read_key_file(entry);
      if (!text) return fail(Reason::kTokenKeysUnavailable, std::move(text.error()));
      files.emplace(entry, std::move(*text));
    }
  }
  return files;
}

void TokenKeys::start(const hub::AppTable& table, const std::vector<hub::AppSettings>& apps, Files files) {
  replace(table, apps, std::move(files), false);
}

void TokenKeys::apply(const hub::AppTable& table, const std::vector<hub::AppSettings>& apps, Files files) {
  replace(table, apps, std::move(files), true);
}

void TokenKeys::replace(const hub::AppTable& table, const std::vector<hub::AppSettings>& apps, Files files,
                        bool running) {
  const std::lock_guard lock(mutex_);
  const Files before = std::exchange(files_, std::move(files));
  const auto apps_before = std::exchange(apps_, {});
  auto urls_before = std::exchange(urls_, {});
  const auto text_changed = [&](const std::string& entry) {
    const auto now = files_.find(entry);
    const auto then = before.find(entry);
    return now != files_.end() && (then == before.end() || then->second != now->second);
  };
  for (const hub::AppSettings& app : apps) {
    const hub::App* known = table.by_id(app.id);
    if (known == nullptr || !app.jwt.enabled()) continue;
    apps_.emplace(known->index, App{.settings = app.jwt, .keys = nullptr, .told = false});
    for (const std::string& entry : app.jwt.keys) {
      if (!auth::is_key_url(entry)) continue;
      const auto [url, fresh] = urls_.try_emplace(entry);
      if (auto old = urls_before.find(entry); fresh && old != urls_before.end()) url->second = std::move(old->second);
      uint32_t& refresh_s = url->second.refresh_s;
      refresh_s = fresh ? app.jwt.refresh_s : std::min(refresh_s, app.jwt.refresh_s);
    }
  }
  const uint64_t now_ms = monotonic_ms();
  for (auto& [url, it] : urls_) it.due_ms = std::min(it.due_ms, now_ms + it.refresh_s * kSecondMs);
  for (auto& [index, app] : apps_) {
    const auto old = apps_before.find(index);
    const bool same = old != apps_before.end() && old->second.settings == app.settings;
    if (same) app = old->second;
    if (!same || std::ranges::any_of(app.settings.keys, text_changed)) publish(index, app, running);
  }
  fetch_due(now_ms);
}

void TokenKeys::want(uint32_t app, const auth::KeySet* keys) {
  const std::lock_guard lock(mutex_);
  const auto found = apps_.find(app);
  if (found == apps_.end() || (found->second.told && found->second.keys.get() != keys)) return;
  for (const std::string& entry : found->second.settings.keys) {
    if (const auto url = urls_.find(entry); url != urls_.end()) url->second.demanded = true;
  }
  fetch_due(monotonic_ms());
}

void TokenKeys::tick() {
  const std::lock_guard lock(mutex_);
  fetch_due(monotonic_ms());
}

void TokenKeys::fetch_due(uint64_t now_ms) {
  for (auto& [url, it] : urls_) {
    if (it.under_way) continue;
    const bool in_turn = now_ms >= it.due_ms;
    const bool out_of_turn = it.demanded && (it.demanded_ms == 0 || now_ms - it.demanded_ms >= kDemandPauseMs);
    if (!in_turn && !out_of_turn) continue;
    if (!in_turn) it.demanded_ms = now_ms;
    fetch(url, it, now_ms);
  }
}

void TokenKeys::fetch(const std::string& url, Url& it, uint64_t now_ms) {
  it.demanded = false;
  it.due_ms = now_ms + kPauseMs;
  net::HttpClient::Request request{.method = "GET",
                                   .url = url,
                                   .headers = {{"Accept", "application/jwk-set+json, application/json"}},
                                   .body = {},
                                   .timeout_ms = kTimeoutMs,
                                   .answer_bytes_max = auth::KeySet::kTextBytesMax};
  it.under_way = client_.submit(std::move(request), [this, url, now_ms](net::HttpClient::Response response) {
    on_answer(url, now_ms, std::move(response));
  });
  if (!it.under_way) note_failure(url, it, "too many requests are under way");
}

// On the client's thread, where nothing may be thrown.
void TokenKeys::on_answer(const std::string& url, uint64_t asked_ms, net::HttpClient::Response response) try {
  const std::lock_guard lock(mutex_);
  const auto found = urls_.find(url);
  if (found == urls_.end()) return;
  Url& it = found->second;
  it.under_way = false;
  if (response.status != 200) {
    return note_failure(url, it, response.status == 0 ? response.error : "status " + std::to_string(response.status));
  }
  auth::KeySet trial;
  if (const auto added = trial.add_jwks(response.body, auth::KeySet::Origin::kUrl); !added) {
    return note_failure(url, it, added.error());
  }
  if (it.failing) log::event(log::Level::kInfo, "token_keys_back", {{"url", http::shown_url(url)}});
  it.failing = false;
  it.demanded = false;  // whoever misses a key in these asks again
  it.text = std::move(response.body);
  it.as_of_ms = asked_ms;
  it.due_ms = monotonic_ms() + pause_ms(response.cache_control, it.refresh_s);
  for (auto& [index, app] : apps_) {
    const std::vector<std::string>& entries = app.settings.keys;
    if (std::ranges::find(entries, url) != entries.end()) publish(index, app, true);
  }
} catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): the next fetch may find memory
}

void TokenKeys::note_failure(const std::string& url, Url& it, std::string_view why) {
  if (std::exchange(it.failing, true)) return;
  log::event(log::Level::kWarn, "token_keys_unavailable",
             {{"url", http::shown_url(url)}, {"why", why}, {"old_keys_stay", !it.text.empty()}});
}

std::shared_ptr<const auth::KeySet> TokenKeys::build(const auth::JwtSettings& settings) const {
  auto set = std::make_shared<auth::KeySet>();
  uint64_t as_of_ms = UINT64_MAX;
  bool complete = true;
  const auto check = [](const auth::KeySet::Added& added, std::string_view source) {
    if (!added) log::event(log::Level::kError, "token_keys_refused", {{"source", source}, {"why", added.error()}});
  };
  if (!settings.secret.empty()) check(set->add_secret(settings.secret), "jwt_secret");
  for (const std::string& entry : settings.keys) {
    if (const auto file = files_.find(entry); file != files_.end()) check(set->add_file(file->second), entry);
    const auto url = urls_.find(entry);
    if (url == urls_.end()) continue;
    complete = complete && !url->second.text.empty();
    if (url->second.text.empty()) continue;
    as_of_ms = std::min(as_of_ms, url->second.as_of_ms);
    check(set->add_jwks(url->second.text, auth::KeySet::Origin::kUrl), http::shown_url(entry));
  }
  const bool fetched = std::ranges::any_of(settings.keys, auth::is_key_url);
  if (fetched) set->set_fetched(complete ? as_of_ms : 0, complete);
  return set;
}

void TokenKeys::publish(uint32_t index, App& app, bool running) const {
  app.keys = build(app.settings);
  app.told = false;
  for (const auto& shard : shards_) {
    if (!running) {
      shard->authenticator().set_keys(index, app.keys);
      continue;
    }
    shard->post([index, keys = app.keys, &shard = *shard] { shard.authenticator().set_keys(index, keys); });
  }
  app.told = true;
}

uint64_t TokenKeys::pause_ms(std::string_view cache_control, uint32_t refresh_s) {
  constexpr std::string_view kMaxAge = "max-age=";
  uint64_t seconds = refresh_s;
  const size_t at = cache_control.find(kMaxAge);
  if (at != std::string_view::npos) {
    const char* begin = cache_control.data() + at + kMaxAge.size();
    uint64_t age = 0;
    if (std::from_chars(begin, cache_control.data() + cache_control.size(), age).ec == std::errc()) {
      seconds = std::min(seconds, age);
    }
  }
  return std::max(seconds * kSecondMs, kPauseMs);
}

}  // namespace kilat::app
