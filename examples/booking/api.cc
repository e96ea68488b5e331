#include "booking/api.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "booking/dates.h"
#include "booking/input.h"
#include "common/clock.h"
#include "common/refusal.h"

namespace examples::booking {
namespace json = boost::json;
namespace web = kilat::web;
using web::Request, web::Responder, web::Response;
namespace {

constexpr std::chrono::hours kTokenLifetime{8};
constexpr std::size_t kNameBytesMax = 80;
constexpr std::size_t kMessageBytesMax = 200;
constexpr std::size_t kPasswordBytesMax = 200;

Response error(int status, std::string_view message) {
  return Response::json({{"error", message}}, status);
}

Response not_now(int status, std::string_view message, std::int64_t wait_s) {
  Response response = error(status, message);
  response.headers.emplace_back("Retry-After", std::to_string(wait_s));
  return response;
}

/// The answer of `function`, or to what it throws.
template <typename Function>
Response guarded(const Function& function) {
  try {
    return function();
  } catch (const Refusal& refusal) {
    return error(refusal.status, refusal.what());
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "booking: %s\n", problem.what());
    return error(500, "something went wrong here");
  }
}

template <typename Record>
json::array list_of(const std::vector<Record>& records) {
  json::array list;
  for (const Record& record : records) list.push_back(to_json(record));
  return list;
}

std::string level_in(const json::object& object) {
  constexpr std::array<std::string_view, 3> kLevels{"info", "warning", "critical"};
  if (!object.contains("level")) return "info";
  std::string level = text_in(object, "level", kNameBytesMax);
  if (std::ranges::find(kLevels, level) == kLevels.end()) throw Refusal(422, "level must be info, warning or critical");
  return level;
}

std::string date_in(const json::object& object) {
  std::string date = text_in(object, "date", kNameBytesMax);
  if (!is_date(date)) throw Refusal(422, "date must be a day and time such as 2026-01-31T19:30");
  if (date <= local_now()) throw Refusal(422, "date must be in the future");
  return date;
}

}  // namespace

void Api::add_routes(web::Routes& routes) {
  routes.post_later("/api/login",
                    [this](const Request& request, const Responder& respond) { log_in(request, respond); });
  add_session_routes(routes);
  add_booking_routes(routes);
  route(routes, "POST", "/api/notifications", Who::kAdmin, [this](const Call& call) {
    const json::object body = object_of(call.request);
    const std::string message = text_in(body, "message", kMessageBytesMax);
    return Response::json(parts_.store.notify(message, level_in(body)), 201);
  });
}

void Api::add_session_routes(web::Routes& routes) {
  route(routes, "GET", "/api/sessions", Who::kAnybody,
        [this](const Call&) { return Response::json({{"sessions", list_of(parts_.store.sessions())}}); });
  route(routes, "POST", "/api/sessions", Who::kAdmin, [this](const Call& call) {
    const json::object body = object_of(call.request);
    const std::string name = text_in(body, "name", kNameBytesMax);
    const std::string date = date_in(body);
    return Response::json(to_json(parts_.store.add_session(name, date, integer_in(body, "capacity", 1, kCapacityMax))),
                          201);
  });
  route(routes, "PUT", "/api/sessions/:id/capacity", Who::kAdmin, [this](const Call& call) {
    const std::int64_t capacity = integer_in(object_of(call.request), "capacity", 1, kCapacityMax);
    return Response::json(to_json(parts_.store.set_capacity(id_in(call.request), capacity)));
  });
}

void Api::add_booking_routes(web::Routes& routes) {
  route(routes, "GET", "/api/bookings", Who::kUser,
        [this](const Call& call) { return Response::json({{"bookings", list_of(parts_.store.bookings(call.user))}}); });
  route(routes, "POST", "/api/bookings", Who::kUser, [this](const Call& call) {
    const json::object body = object_of(call.request);
    const std::int64_t session = integer_in(body, "session_id", 1, INT64_MAX);
    const std::int64_t seats = integer_in(body, "seats", 1, kSeatsMax);
    const Store::Booked made = parts_.store.book(call.user, session, seats, idempotency_key_in(call.request));
    Response response = Response::json(to_json(made.booking), 201);
    if (made.repeated) response.headers.emplace_back("Idempotency-Replayed", "true");
    return response;
  });
  route(routes, "POST", "/api/bookings/:id/pay", Who::kUser,
        [this](const Call& call) { return Response::json(to_json(parts_.store.pay(call.user, id_in(call.request)))); });
  route(routes, "POST", "/api/bookings/:id/cancel", Who::kUser, [this](const Call& call) {
    return Response::json(to_json(parts_.store.cancel(call.user, id_in(call.request))));
  });
  route(routes, "POST", "/api/bookings/:id/confirm", Who::kAdmin, [this](const Call& call) {
    return Response::json(to_json(parts_.store.confirm(call.user, id_in(call.request))));
  });
}

void Api::route(web::Routes& routes, const char* method, const char* path, Who who, Action action) {
  routes.route(method, path, [this, who, action = std::move(action)](const Request& request, const Responder& respond) {
    std::optional<User> user = parts_.tokens.user_of(request);
    if (who != Who::kAnybody && !user) {
      Response response = error(401, "sign in first");
      response.headers.emplace_back("WWW-Authenticate", "Bearer");
      return respond(std::move(response));
    }
    if (who == Who::kAdmin && !user->has_role("admin")) return respond(error(403, "this is for admins"));
    const bool taken = parts_.worker.post([this, action, request, respond, user = user.value_or(User{})] {
      respond(run(action, {.request = request, .user = user}));
    });
    if (!taken) respond(not_now(503, "too much to do", 1));
  });
}

Response Api::run(const Action& action, const Call& call) {
  if (call.request.method != "GET" && call.request.method != "HEAD") {
    const std::int64_t wait = changes_.wait_s(call.user.id, unix_ms());
    if (wait > 0) return not_now(429, "too many changes", wait);
  }
  Response response = guarded([&] { return action(call); });
  parts_.outbox.flush(parts_.publish);
  return response;
}

void Api::log_in(const Request& request, const Responder& respond) {
  const auto check = [this, request, respond] {
    respond(guarded([&] {
      const json::object body = object_of(request);
      const std::string login = text_in(body, "login", kNameBytesMax);
      const std::optional<User> user = parts_.accounts.check(login, text_in(body, "password", kPasswordBytesMax));
      if (!user) return error(401, "wrong name or password");
      return Response::json({{"token", parts_.tokens.sign(*user, kTokenLifetime)}, {"user", to_json(*user)}});
    }));
  };
  const bool taken = parts_.worker.post([this, request, respond, check] {
    if (const std::int64_t wait = logins_.wait_s(request.address, unix_ms()); wait > 0) {
      return respond(not_now(429, "too many attempts", wait));
    }
    if (!parts_.doorman.post(check)) respond(not_now(503, "too much to do", 1));
  });
  if (!taken) respond(not_now(503, "too much to do", 1));
}

}  // namespace examples::booking
