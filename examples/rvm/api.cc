#include "rvm/api.h"

#include <utility>

#include "common/text.h"
#include "rvm/status.h"

namespace examples::rvm {
namespace {

using kilat::web::Request;
using kilat::web::Response;

constexpr std::size_t kCredentialBytesMax = 200;
/// A check of a password takes tens of milliseconds of one thread; who waits longer than this had better come back.
constexpr int kLoginsWaitingMax = 40;
constexpr std::int64_t kItemsMax = 100;
constexpr int kHistoryRows = 50;

Response error(int status, std::string_view text) {
  Response response = Response::json({{"error", text}}, status);
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (status == 429 || status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

Response error(const Refused& refused) {
  return error(refused.status, refused.error);
}

std::optional<json::object> object_of(const Request& request) {
  const std::optional<json::value> body = request.json();
  if (!body || !body->is_object()) return std::nullopt;
  return body->get_object();
}

std::optional<std::string> text_of(const json::object& body, std::string_view name) {
  const json::value* value = body.if_contains(name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string(value->get_string());
}

/// The machine that the path names; 0 (which is none) for anything that is no number.
std::int64_t id_of(const Request& request) {
  return whole_number(request.params.at("id")).value_or(0);
}

bool is_machine(const User& user) {
  return user.has_role("machine");
}

}  // namespace

Api::Api(Parts parts) : parts_(parts), csrf_token_(random_hex(16)) {}

void Api::mount(kilat::web::Routes& routes) {
  routes.get("/api/config",
             [this](const Request&) { return Response::json({{"key", app_key_}, {"csrf_token", csrf_token_}}); });
  routes.post_later("/api/login",
                    [this](const Request& request, const Responder& respond) { login(request, respond); });
  routes.get("/api/me", [this](const Request& request) { return me(request); });
  routes.get_later("/api/machines", [this](const Request&, const Responder& respond) {
    run(parts_.worker, respond, [this] { return Response::json(parts_.fleet.public_view()); });
  });
  routes.get_later("/api/dashboard",
                   [this](const Request& request, const Responder& respond) { dashboard(request, respond); });
  routes.post_later("/api/machines/:id/status",
                    [this](const Request& request, const Responder& respond) { set_status(request, respond); });
  routes.post_later("/api/machines/:id/deposits",
                    [this](const Request& request, const Responder& respond) { deposit(request, respond); });
  routes.post_later("/api/simulation",
                    [this](const Request& request, const Responder& respond) { switch_simulation(request, respond); });
}

void Api::run(Worker& worker, const Responder& respond, Work work) {
  const bool taken = worker.post([respond, work = std::move(work)]() mutable {
    try {
      respond(work());
    } catch (...) {
      respond(error(500, "that did not work; it is in the log of the program"));
      throw;
    }
  });
  if (!taken) respond(error(503, "too much to do right now"));
}

std::optional<User> Api::admit(const Request& request, const Responder& respond, Staff allowed, const char* sorry) {
  std::optional<User> user = parts_.tokens.user_of(request);
  if (!user) {
    respond(error(401, "log in first, or again"));
  } else if (!allowed(*user)) {
    respond(error(403, sorry));
    user.reset();
  }
  return user;
}

void Api::login(const Request& request, const Responder& respond) {
  const std::optional<json::object> body = object_of(request);
  if (!body) return respond(error(400, "send a JSON object"));
  std::optional<std::string> email = text_of(*body, "email");
  std::optional<std::string> password = text_of(*body, "password");
  if (!email || !password || email->empty() || password->empty()) {
    return respond(error(422, "email and password are needed, as texts"));
  }
  if (email->size() > kCredentialBytesMax || password->size() > kCredentialBytesMax) {
    return respond(error(422, "email and password have 200 bytes at most"));
  }
  if (logins_.fetch_add(1) >= kLoginsWaitingMax) {
    --logins_;
    return respond(error(429, "many people log in right now: try again in a second"));
  }
  run(parts_.gate, respond, [this, email = std::move(*email), password = std::move(*password)] {
    --logins_;
    const std::optional<User> user = parts_.accounts.check(email, password);
    if (!user) return error(401, "wrong email or password");
    return Response::json({{"token", parts_.tokens.sign(*user, parts_.token_lifetime)},
                           {"user", to_json(*user)},
                           {"expires_in", parts_.token_lifetime.count()}});
  });
}

Response Api::me(const Request& request) const {
  const std::optional<User> user = parts_.tokens.user_of(request);
  if (!user) return error(401, "log in first, or again");
  return Response::json({{"user", to_json(*user)}});
}

void Api::dashboard(const Request& request, const Responder& respond) {
  if (!admit(request, respond, may_read_dashboard, "the dashboard is for staff")) return;
  run(parts_.worker, respond, [this] {
    json::object board = parts_.announcer.dashboard();
    board["history"] = parts_.fleet.history(kHistoryRows);
    return Response::json(board);
  });
}

void Api::set_status(const Request& request, const Responder& respond) {
  std::optional<User> user = admit(request, respond, may_read_dashboard, "only staff may change machines");
  if (!user) return;
  const std::optional<json::object> body = object_of(request);
  if (!body) return respond(error(400, "send a JSON object"));
  const std::optional<Status> to = status_of(text_of(*body, "status").value_or(""));
  if (!to) return respond(error(422, "status must be active, inactive, maintenance, full or error"));
  std::optional<Status> expected;
  if (body->contains("expected")) {
    expected = status_of(text_of(*body, "expected").value_or(""));
    if (!expected) return respond(error(422, "expected must be a status too"));
  }
  run(parts_.worker, respond, [this, id = id_of(request), to = *to, expected, user = std::move(*user)] {
    Transaction transaction(parts_.database);
    const std::optional<Machine> machine = parts_.fleet.find(id);
    if (!machine) return error(404, "no such machine");
    if (const std::string_view sorry = refusal(user, machine->status, to); !sorry.empty()) return error(403, sorry);
    const auto change = parts_.fleet.set_status(id, to, expected, user.name, unix_ms());
    if (!change) return error(change.error());
    transaction.commit();
    parts_.announcer.status_updated(*change);
    return Response::json({{"change", staff_event(*change)}});
  });
}

void Api::deposit(const Request& request, const Responder& respond) {
  if (!admit(request, respond, is_machine, "only machines report deposits")) return;
  const std::optional<json::object> body = object_of(request);
  if (!body) return respond(error(400, "send a JSON object"));
  const std::optional<std::size_t> material = material_of(text_of(*body, "material").value_or(""));
  if (!material) return respond(error(422, "material must be pet, cans or glass"));
  const json::value* count = body->if_contains("count");
  if (count == nullptr || !count->is_int64() || count->get_int64() < 1 || count->get_int64() > kItemsMax) {
    return respond(error(422, "count must be a whole number from 1 to 100"));
  }
  run(parts_.worker, respond, [this, id = id_of(request), material = *material, count = count->get_int64()] {
    Transaction transaction(parts_.database);
    const auto deposit = parts_.fleet.deposit(id, material, count, unix_ms());
    if (!deposit) return error(deposit.error());
    transaction.commit();
    if (deposit->change) {
      parts_.announcer.status_updated(*deposit->change);
    } else {
      parts_.announcer.dashboard_updated();
    }
    return Response::json({{"taken", deposit->taken}, {"refused", count - deposit->taken}});
  });
}

void Api::switch_simulation(const Request& request, const Responder& respond) {
  if (!admit(request, respond, may_administrate, "only admins switch the simulation")) return;
  const std::optional<json::object> body = object_of(request);
  const json::value* running = body ? body->if_contains("running") : nullptr;
  if (running == nullptr || !running->is_bool()) return respond(error(422, "running must be true or false"));
  run(parts_.worker, respond, [this, on = running->get_bool()] {
    parts_.announcer.set_simulating(on);
    parts_.announcer.dashboard_updated();
    return Response::json({{"running", on}});
  });
}

}  // namespace examples::rvm
