#include "rvm/rvm.h"

#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>

#include "common/accounts.h"
#include "common/text.h"
#include "common/tokens.h"
#include "common/worker.h"
#include "rvm/announcer.h"
#include "rvm/api.h"
#include "rvm/fleet.h"
#include "rvm/founding.h"
#include "rvm/simulation.h"

namespace examples {
namespace rvm {
namespace {

constexpr std::uint32_t kSeed = 20'240'501;
constexpr std::chrono::hours kTidyEvery{1};

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// A whole number of the environment from 1 to a day in milliseconds.
std::int64_t number(const char* name, std::int64_t otherwise) {
  const std::string text = variable(name);
  if (text.empty()) return otherwise;
  const std::optional<std::int64_t> value = whole_number(text);
  if (!value || *value < 1 || *value > 86'400'000) {
    throw std::invalid_argument(std::string(name) + " must be a whole number from 1 to 86400000");
  }
  return *value;
}

/// The app as REVERB_… names it, otherwise as kilat.toml does.
struct App {
  std::string id;
  std::string key;
  std::string secret;
};

App app_of(const std::filesystem::path& data) {
  App app{.id = variable("REVERB_APP_ID"), .key = variable("REVERB_APP_KEY"), .secret = variable("REVERB_APP_SECRET")};
  if (app.id.empty()) app.id = "rvm";
  if (app.key.empty()) app.key = "rvm-key";
  if (app.secret.empty()) app.secret = secret(data, "RVM_APP_SECRET");
  return app;
}

kilat::Options options_of(const Settings& settings, const App& app, const std::string& jwt_secret) {
  kilat::Options options = server_options(settings, "rvm");
  options.settings["app.id"] = app.id;
  options.settings["app.key"] = app.key;
  options.settings["app.secret"] = app.secret;
  options.settings["app.jwt_secret"] = jwt_secret;
  options.settings["history.file"] = (settings.data / "history.db").string();
  return options;
}

}  // namespace

/// Members stand in the order of their lives: the workers end first, then the server, then what both work with.
class Rvm final : public System {
 public:
  explicit Rvm(const Settings& settings)
      : data_(settings.data),
        app_(app_of(data_)),
        jwt_secret_(secret(data_, "RVM_JWT_SECRET")),
        tokens_(jwt_secret_),
        token_lifetime_(number("RVM_TOKEN_SECONDS", 8 * 3600)),
        step_(number("RVM_SIMULATION_MS", 1500)),
        simulated_(variable("RVM_SIMULATION") != "off"),
        database_(data_ / "rvm.db"),
        gate_database_(data_ / "rvm.db"),
        fleet_(database_),
        accounts_(gate_database_),
        simulation_(fleet_, kSeed),
        server_(options_of(settings, app_, jwt_secret_)),
        announcer_(server_, fleet_),
        api_({database_, fleet_, announcer_, accounts_, tokens_, worker_, gate_, token_lifetime_}) {
    api_.mount(server_.http());
    api_.set_app_key(app_.key);
    announcer_.set_app(app_.id);
    announcer_.set_simulating(simulated_);
    serve_pages(server_, settings, "rvm");
  }

  std::string_view name() const override { return "rvm"; }
  std::uint16_t port() const override { return server_.port(); }
  std::string key() const override { return app_.key; }

  std::expected<void, std::string> start() override {
    found();
    if (auto started = server_.start(); !started) return started;
    worker_.every(step_, [this] { step(); });
    worker_.every(kTidyEvery, [this] { fleet_.forget_old(unix_ms()); });
    return {};
  }

  void stop() override {
    server_.drain();
    worker_.stop();
    gate_.stop();
    server_.join();
  }

 private:
  /// The first start. Nothing else runs yet, so this thread may use both databases.
  void found() {
    found_accounts(accounts_);
    if (!fleet_.empty()) return;
    Transaction transaction(database_);
    found_fleet(fleet_, unix_ms());
    if (simulated_) simulation_.past_day(unix_ms());
    transaction.commit();
  }

  void step() {
    if (!announcer_.simulating()) return;
    Transaction transaction(database_);
    const std::vector<Change> changes = simulation_.step(unix_ms());
    transaction.commit();
    for (const Change& change : changes) announcer_.status_updated(change);
    if (changes.empty()) announcer_.dashboard_updated();
  }

  std::filesystem::path data_;
  App app_;
  std::string jwt_secret_;
  Tokens tokens_;
  std::chrono::seconds token_lifetime_;
  std::chrono::milliseconds step_;
  bool simulated_;
  Database database_;
  Database gate_database_;
  Fleet fleet_;
  Accounts accounts_;
  Simulation simulation_;
  kilat::Server server_;
  Announcer announcer_;
  Api api_;
  Worker worker_;
  Worker gate_;
};

}  // namespace rvm

std::unique_ptr<System> make_rvm(const Settings& settings) {
  return std::make_unique<rvm::Rvm>(settings);
}

}  // namespace examples
