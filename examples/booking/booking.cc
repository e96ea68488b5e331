#include "booking/booking.h"

#include <kilat/server.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "booking/api.h"
#include "booking/dates.h"
#include "common/text.h"

namespace examples {
namespace booking {
namespace {

constexpr std::int64_t kSecondMs = 1000;
constexpr std::int64_t kHoldSeconds = 600;
constexpr std::int64_t kHoldSecondsMax = 86'400;
constexpr std::chrono::milliseconds kExpireEvery{250};
constexpr std::chrono::milliseconds kForgetEvery{2'000};

/// BOOKING_HOLD_SECONDS: how long an unpaid booking keeps its seats.
std::int64_t hold_ms() {
  const char* text = std::getenv("BOOKING_HOLD_SECONDS");
  if (text == nullptr) return kHoldSeconds * kSecondMs;
  const std::optional<std::int64_t> seconds = whole_number(text);
  if (!seconds || *seconds < 1 || *seconds > kHoldSecondsMax) {
    throw std::invalid_argument("BOOKING_HOLD_SECONDS must be a whole number from 1 to 86400");
  }
  return *seconds * kSecondMs;
}

kilat::Options options_of(const Settings& settings) {
  kilat::Options options = server_options(settings, "booking");
  options.settings["app.secret"] = secret(settings.data, "BOOKING_APP_SECRET");
  options.settings["app.jwt_secret"] = secret(settings.data, "BOOKING_JWT_SECRET");
  options.settings["history.file"] = (settings.data / "history.db").string();
  return options;
}

void add_demo_accounts(Accounts& accounts) {
  accounts.add({.id = "1", .name = "Ana", .roles = {}}, "ana", "ana-demo");
  accounts.add({.id = "2", .name = "Ben", .roles = {}}, "ben", "ben-demo");
  accounts.add({.id = "3", .name = "Chen", .roles = {}}, "chen", "chen-demo");
  accounts.add({.id = "4", .name = "Dina", .roles = {}}, "dina", "dina-demo");
  accounts.add({.id = "9", .name = "Admin", .roles = {"admin"}}, "admin", "admin-demo");
}

/// At the first start, and when all that there were are over.
void add_demo_sessions(Store& store) {
  const std::string now = local_now();
  if (std::ranges::any_of(store.sessions(), [&](const Session& session) { return session.date > now; })) return;
  store.add_session("Morning yoga", evening_after(1, 8), 20);
  store.add_session("Pottery for beginners", evening_after(2, 18), 10);
  store.add_session("Night tour of the museum", evening_after(3, 21), 40);
  store.add_session("Chamber concert", evening_after(5, 19), 120);
}

class Bookings : public System {
 public:
  explicit Bookings(const Settings& settings);
  ~Bookings() override { stop(); }

  std::string_view name() const override { return "booking"; }
  std::expected<void, std::string> start() override;
  void stop() override;
  std::uint16_t port() const override { return server_.port(); }
  std::string key() const override { return server_.app().key; }

 private:
  Tokens tokens_;
  Database database_;
  Outbox outbox_{database_};
  Store store_;
  Database door_database_;
  Accounts accounts_{door_database_};
  Worker worker_;
  Worker doorman_;
  kilat::Server server_;
  Outbox::Publish publish_;
  Api api_;
  bool started_ = false;
};

Bookings::Bookings(const Settings& settings)
    : tokens_(secret(settings.data, "BOOKING_JWT_SECRET")),
      database_(settings.data / "booking.db"),
      store_(database_, outbox_, hold_ms()),
      door_database_(settings.data / "booking.db"),
      server_(options_of(settings)),
      publish_([this](const std::string& channel, const std::string& event, const kilat::json::value& data) {
        return server_.publish("booking", channel, event, data);
      }),
      api_({.store = store_,
            .outbox = outbox_,
            .publish = publish_,
            .worker = worker_,
            .accounts = accounts_,
            .doorman = doorman_,
            .tokens = tokens_}) {
  add_demo_accounts(accounts_);
  add_demo_sessions(store_);
  api_.add_routes(server_.http());
  serve_pages(server_, settings, "booking");
}

std::expected<void, std::string> Bookings::start() {
  if (auto started = server_.start(); !started) return started;
  started_ = true;
  // The first call publishes what a crash left behind.
  worker_.every(kExpireEvery, [this] {
    store_.expire();
    outbox_.flush(publish_);
  });
  worker_.every(kForgetEvery, [this] { outbox_.forget(); });
  return {};
}

void Bookings::stop() {
  if (started_) {
    server_.drain();
    server_.join();
    started_ = false;
  }
  // Last, because requests that are being answered are theirs.
  doorman_.stop();
  worker_.stop();
}

}  // namespace
}  // namespace booking

std::unique_ptr<System> make_booking(const Settings& settings) {
  return std::make_unique<booking::Bookings>(settings);
}

}  // namespace examples
