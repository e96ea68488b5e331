#include "noc/api.h"

#include <chrono>
#include <memory>
#include <utility>

#include "noc/input.h"

namespace examples::noc {
namespace json = boost::json;
namespace web = kilat::web;
namespace {

constexpr std::chrono::hours kTokenLifetime{8};
constexpr int kListed = 100;

web::Response refused(int status, std::string_view why) {
  return web::Response::json({{"error", why}}, status);
}

/// What the function answers, or refuses with.
web::Response answer_of(const std::function<web::Response()>& function) {
  try {
    return function();
  } catch (const Refusal& refusal) {
    return refused(refusal.status, refusal.what());
  }
}

/// One of those that are counted, for as long as it lives.
struct Place {
  explicit Place(std::atomic<std::uint32_t>& all) : count(all), number(++all) {}
  ~Place() { --count; }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  std::atomic<std::uint32_t>& count;
  std::uint32_t number;
};

/// The customer that a list is for: all for staff, themselves for customers.
std::string scope_of(const User& user) {
  return is_staff(user) ? std::string() : user.id;
}

void require_customer(const User& user, const std::string& customer) {
  if (!is_staff(user) && user.id != customer) throw Refusal(403, "this is another customer");
}

}  // namespace

void Api::route(std::string_view method, std::string_view path, Access access, Handler handler) {
  server_.http().route(method, path,
                       [this, access, handler = std::move(handler)](const Request& request, web::Responder respond) {
                         std::optional<User> user = tokens_.user_of(request);
                         const bool tried = !request.header("authorization").empty();
                         if (!user && tried) return respond(refused(401, "the token is not valid, or has expired"));
                         if (!user && access != Access::kEverybody) return respond(refused(401, "sign in first"));
                         if (access == Access::kStaff && !is_staff(*user)) {
                           return respond(refused(403, "this is for the staff"));
                         }
                         const bool taken = worker_.post([handler, request, respond, user = std::move(user)] {
                           respond(answer_of([&] { return handler(request, user); }));
                         });
                         if (!taken) respond(refused(503, "too much to do; try again"));
                       });
}

void Api::add_routes() {
  add_session_routes();
  add_device_routes();
  add_demo_route();
  add_alert_routes();
  add_billing_routes();
  add_figure_routes();
  add_status_route();
}

void Api::add_session_routes() {
  server_.http().post_later("/api/login", [this](const Request& request, const web::Responder& respond) {
    auto place = std::make_unique<Place>(logins_);
    if (place->number > kLoginsMax) return respond(refused(429, "too many logins at a time; try again"));
    const bool taken = worker_.post(
        [this, request, respond, place = std::move(place)] { respond(answer_of([&] { return log_in(request); })); });
    if (!taken) respond(refused(503, "too much to do; try again"));
  });
}

web::Response Api::log_in(const Request& request) {
  const Input input(request);
  const std::string login = input.text("login", 100);
  const std::optional<User> user = centre_->accounts.check(login, input.text("password", 200));
  if (!user) {
    centre_->log.add(Level::kWarning, "login", "a wrong name or password from " + request.address);
    return refused(401, "wrong name or password");
  }
  centre_->log.add(Level::kInfo, user->name, "logged in");
  return web::Response::json({{"token", tokens_.sign(*user, kTokenLifetime)},
                              {"user", to_json(*user)},
                              {"expires_in", std::chrono::seconds(kTokenLifetime).count()}});
}

void Api::add_alert_routes() {
  route("GET", "/api/alerts", Access::kSignedIn, [this](const Request&, const auto& user) {
    return Response::json({{"alerts", centre_->alerts.list(kListed, scope_of(*user))}});
  });
  route("POST", "/api/alerts/:id/acknowledge", Access::kStaff, [this](const Request& request, const auto& user) {
    const auto alert = centre_->alerts.acknowledge(id_of(request), user->name);
    if (!alert) {
      if (alert.error() == Alerts::Refused::kUnknown) return refused(404, "there is no such alert");
      const bool resolved = alert.error() == Alerts::Refused::kResolved;
      return refused(409, resolved ? "it is resolved already" : "somebody has acknowledged it already");
    }
    centre_->log.add(Level::kInfo, user->name, "acknowledged: " + std::string(alert->json.at("message").as_string()));
    centre_->emitter.alert_updated(alert->json, alert->customer);
    return Response::json({{"alert", alert->json}});
  });
}

void Api::add_billing_routes() {
  route("GET", "/api/customers", Access::kSignedIn, [this](const Request&, const auto& user) {
    return Response::json({{"customers", centre_->billing.customers(scope_of(*user))}});
  });
  route("GET", "/api/customers/:id", Access::kSignedIn, [this](const Request& request, const auto& user) {
    const std::string& id = request.params.at("id");
    require_customer(*user, id);
    if (!centre_->billing.is_customer(id)) throw Refusal(404, "there is no such customer");
    json::array devices;
    for (const auto& [number, device] : centre_->devices.all()) {
      if (device.customer == id) devices.emplace_back(to_json(device));
    }
    return Response::json({{"customer", centre_->billing.customers(id).at(0)},
                           {"devices", std::move(devices)},
                           {"alerts", centre_->alerts.list(20, id)},
                           {"payments", centre_->billing.payments(20, id)}});
  });
  route("POST", "/api/customers/:id/payments", Access::kSignedIn,
        [this](const Request& request, const auto& user) { return pay(request, *user); });
  route("GET", "/api/payments", Access::kStaff, [this](const Request&, const auto&) {
    return Response::json({{"payments", centre_->billing.payments(kListed)}});
  });
}

web::Response Api::pay(const Request& request, const User& user) {
  const std::string& customer = request.params.at("id");
  require_customer(user, customer);
  if (!centre_->billing.is_customer(customer)) throw Refusal(404, "there is no such customer");
  const Input input(request);
  const std::int64_t invoice = input.integer("invoice_id", 1, INT64_MAX);
  const auto payment = centre_->billing.pay(customer, invoice, input.optional_text("method", 40).value_or("card"));
  if (!payment) {
    const bool paid = payment.error() == Billing::Refused::kPaid;
    return paid ? refused(409, "it is paid already") : refused(404, "this customer has no such invoice");
  }
  centre_->log.add(Level::kInfo, user.name, "paid invoice " + std::to_string(invoice));
  centre_->emitter.payment_update(payment->json, payment->customer);
  return Response::json({{"payment", payment->json}}, 201);
}

void Api::add_figure_routes() {
  // From the worker, so it also tells that this lives. Kilat's own are /health/live and /health/ready.
  route("GET", "/health", Access::kEverybody, [this](const Request&, const auto&) {
    return Response::json({{"status", "ok"}, {"devices", centre_->devices.all().size()}});
  });
  route("GET", "/api/stats", Access::kEverybody,
        [this](const Request&, const auto&) { return Response::json({{"stats", centre_->stats()}}); });
  route("GET", "/api/logs", Access::kStaff,
        [this](const Request&, const auto&) { return Response::json({{"lines", centre_->log.lines()}}); });
  route("GET", "/api/bandwidth", Access::kStaff, [this](const Request& request, const auto&) {
    const auto asked = request.query.find("interface");
    if (asked == request.query.end()) return Response::json({{"interfaces", centre_->bandwidth.interfaces()}});
    if (!centre_->bandwidth.has(asked->second)) throw Refusal(404, "there is no such interface");
    return Response::json({{"interface", asked->second}, {"samples", centre_->bandwidth.samples(asked->second)}});
  });
}

// Kilat's own socketio.status_path tells the first three; here are also the answers to getConnectedCount() and
// isUserConnected(id). Who is there is the staff's business.
void Api::add_status_route() {
  server_.http().get_later("/api/test/ws-status", [this](const Request& request, web::Responder respond) {
    const auto asked = request.query.find("user");
    const std::optional<std::string> id = asked == request.query.end() ? std::nullopt : std::optional(asked->second);
    const std::optional<User> user = tokens_.user_of(request);
    if (id && !user) return respond(refused(401, "sign in first"));
    if (id && !is_staff(*user)) return respond(refused(403, "this is for the staff"));
    server_.io().fetch_sockets([respond, id](const std::vector<kilat::io::SocketInfo>& sockets) {
      std::uint64_t anonymous = 0;
      std::uint64_t of_user = 0;
      std::map<std::string, std::uint64_t> transports{{"polling", 0}, {"websocket", 0}};
      for (const kilat::io::SocketInfo& socket : sockets) {
        if (socket.user_id.empty()) ++anonymous;
        if (id && socket.user_id == *id) ++of_user;
        ++transports[socket.transport];
      }
      json::object status{{"success", true},
                          {"status", "active"},
                          {"connectedClients", sockets.size()},
                          {"anonymous", anonymous},
                          {"transports", json::value_from(transports)}};
      if (id) status["user"] = {{"id", *id}, {"connected", of_user > 0}, {"sockets", of_user}};
      respond(Response::json(status));
    });
  });
}

}  // namespace examples::noc
