// TokenKeys: the keys that tokens are checked with, of all apps: reads the files, fetches the URLs and fetches them
// again, and hands each shard's Authenticator the sets that come of it.
// Owner: Server. Thread-safe: start() and apply() come from the main thread and from Ops, want() from the shards,
// tick() from Ops, answers from the thread of the HTTP client. One short lock; shards take it only when a
// token names a key that is not there.
// When a URL is fetched: every refresh_s, sooner if its Cache-Control says so (max-age, but not below kPauseMs); at
// once when a shard wants a key, but for that not again within kDemandPauseMs; kPauseMs after a failure. What was
// fetched last stays in use until something better comes. Bounds: one fetch a URL under way, of KeySet::kTextBytesMax.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/authenticator.h"
#include "auth/jwt_settings.h"
#include "auth/key_set.h"
#include "base/result.h"
#include "hub/app_table.h"
#include "net/http_client.h"

namespace kilat::app {

class Shard;

class TokenKeys {
 public:
  static constexpr uint64_t kTickMs = 1'000;
  static constexpr uint64_t kPauseMs = 10'000;
  /// A token with a key that nobody has makes the shards want it, too. Who comes next with a key that is really new
  /// still has it fetched while their token waits: after the pause, at the next tick, within a second.
  static constexpr uint64_t kDemandPauseMs = 3'000;
  static_assert(kDemandPauseMs + kTickMs + 1'000 <= auth::Authenticator::kWaitMs);
  static constexpr uint32_t kTimeoutMs = 10'000;
  using Files = std::map<std::string, std::string>;  ///< path and text

  TokenKeys(std::span<const std::unique_ptr<Shard>> shards, net::HttpClient& client);
  TokenKeys(const TokenKeys&) = delete;
  TokenKeys& operator=(const TokenKeys&) = delete;

  /// All files that the apps name. The error names the one that cannot be used.
  static Result<Files> read(const std::vector<hub::AppSettings>& apps);

  /// Before the shards run: sets their keys, and begins to fetch.
  void start(const hub::AppTable& table, const std::vector<hub::AppSettings>& apps, Files files);
  /// While they run, after they have got the same settings.
  void apply(const hub::AppTable& table, const std::vector<hub::AppSettings>& apps, Files files);

  /// A shard has a token whose key is not among `keys`, the last it was handed (null: none yet). Does nothing where
  /// newer ones are on their way to it.
  void want(uint32_t app, const auth::KeySet* keys);
  /// Fetches what is due; every kTickMs.
  void tick();

  /// How long to wait until the next fetch, with an answer's Cache-Control.
  static uint64_t pause_ms(std::string_view cache_control, uint32_t refresh_s);

 private:
  struct App {
    auth::JwtSettings settings;
    std::shared_ptr<const auth::KeySet> keys;  ///< the last that the shards were handed
    bool told = false;                         ///< all shards were
  };
  struct Url {
    uint32_t refresh_s = 0;
    std::string text;          ///< of the last good answer; empty: there was none yet
    uint64_t as_of_ms = 0;     ///< when that was asked for
    uint64_t due_ms = 0;       ///< next fetch
    uint64_t demanded_ms = 0;  ///< the last fetch out of turn; 0: none
    bool demanded = false;
    bool under_way = false;
    bool failing = false;
  };

  void replace(const hub::AppTable& table, const std::vector<hub::AppSettings>& apps, Files files, bool running);
  void fetch_due(uint64_t now_ms);
  void fetch(const std::string& url, Url& it, uint64_t now_ms);
  void on_answer(const std::string& url, uint64_t asked_ms, net::HttpClient::Response response);
  void note_failure(const std::string& url, Url& it, std::string_view why);
  std::shared_ptr<const auth::KeySet> build(const auth::JwtSettings& settings) const;
  void publish(uint32_t index, App& app, bool running) const;

  std::span<const std::unique_ptr<Shard>> shards_;
  net::HttpClient& client_;
  std::mutex mutex_;  ///< of all below
  std::map<uint32_t, App> apps_;
  Files files_;
  std::map<std::string, Url, std::less<>> urls_;
};

}  // namespace kilat::app
