// What operators do: log in, turn the firehose, break a sensor, run a load test, look after failed jobs.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>

#include "scada/answers.h"
#include "scada/context.h"

namespace examples::scada {
namespace json = boost::json;
using kilat::web::Request;
using kilat::web::Responder;
using kilat::web::Response;
namespace {

constexpr std::string_view kOperator = "operator";
constexpr std::chrono::hours kTokenLifetime{12};
constexpr int kLoginsMax = 40;
constexpr std::int64_t kMessagesMax = 10'000;
constexpr std::int64_t kFaultSecondsMax = 600;
constexpr std::size_t kJobMax = 64;

const json::value* member(const std::optional<json::value>& body, std::string_view name) {
  const json::object* object = body ? body->if_object() : nullptr;
  return object == nullptr ? nullptr : object->if_contains(name);
}

std::optional<std::int64_t> whole(const std::optional<json::value>& body, std::string_view name) {
  const json::value* value = member(body, name);
  if (value == nullptr || !value->is_int64()) return std::nullopt;
  return value->get_int64();
}

std::string text(const std::optional<json::value>& body, std::string_view name) {
  const json::value* value = member(body, name);
  return value == nullptr || !value->is_string() ? std::string() : std::string(value->get_string());
}

void login(Context& context, const Request& request, const Responder& respond) {
  const auto body = request.json();
  const std::string name = text(body, "login");
  const std::string password = text(body, "password");
  if (name.empty() || password.empty() || name.size() > 100 || password.size() > 200) {
    return respond(refusal(422, "login and password are missing"));
  }
  if (context.logins.fetch_add(1) >= kLoginsMax) {
    --context.logins;
    return respond(refusal(429, "many people log in right now: try again in a second"));
  }
  const bool posted = context.gate.post([&context, name, password, respond] {
    --context.logins;
    const Stopwatch stopwatch(context.performance, "login: check");
    const std::optional<User> user = context.accounts.check(name, password);
    if (!user) return respond(refusal(401, "wrong login or password"));
    respond(Response::json({{"token", context.tokens.sign(*user, kTokenLifetime)},
                            {"name", user->name},
                            {"roles", json::value_from(user->roles)}}));
  });
  if (!posted) respond(refusal(503, "the program is about to end"));
}

Response set_firehose(Context& context, const Request& request) {
  const std::optional<std::int64_t> rate = whole(request.json(), "rate");
  if (!rate || *rate < 0 || *rate > Feeder::kRateMax) {
    return refusal(422, "rate must be a whole number from 0 to 20000");
  }
  // How often a sensor is heard changes with it.
  context.watch.forget_times();
  context.feeder.set_rate(*rate);
  context.storage.post([&context, rate = *rate] { context.store.set_number("rate", rate); });
  if (const std::optional<User> user = context.tokens.user_of(request)) {
    context.server.publish(context.app.id, "private-operators", "scada.firehose.turned",
                           {{"rate", *rate}, {"by", user->name}});
  }
  return Response::json({{"rate", *rate}});
}

Response break_sensor(Context& context, const Request& request) {
  const auto body = request.json();
  const std::optional<Fault> fault = fault_of(text(body, "fault"));
  if (!fault) return refusal(422, "fault must be stuck, spike, dropout or drift");
  const std::int64_t seconds = member(body, "seconds") == nullptr ? 20 : whole(body, "seconds").value_or(0);
  if (seconds < 1 || seconds > kFaultSecondsMax) return refusal(422, "seconds must be a whole number from 1 to 600");
  if (!context.plant.break_sensor(text(body, "sensor"), *fault, unix_ms(), seconds * 1'000)) {
    return refusal(404, "the plant has no such sensor");
  }
  return Response::json({{"sensor", text(body, "sensor")}, {"fault", name_of(*fault)}, {"seconds", seconds}});
}

// One request of the HTTP API for each message, as an application sends them.
json::object send_messages(Context& context, kilat::Publisher& publisher, std::int64_t messages) {
  std::int64_t failed = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (std::int64_t i = 1; i <= messages; ++i) {
    const Stopwatch stopwatch(context.performance, "load test: message");
    const json::object data{{"data", {{"channel", "load-test"}, {"value", i}, {"of", messages}}},
                            {"timestamp", iso_time(unix_ms())},
                            {"channel", "load-test"}};
    if (!publisher.trigger("scada-loadtest", "scada.data.received", data)) ++failed;
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const double rate = static_cast<double>(messages - failed) / seconds;
  std::printf("load test: %lld messages in %.2f s, %.0f messages/s\n", static_cast<long long>(messages - failed),
              seconds, rate);
  std::fflush(stdout);
  return {{"messages", messages}, {"failed", failed}, {"seconds", seconds}, {"rate", rate}};
}

void load_test(Context& context, const Request& request, const Responder& respond) {
  const auto body = request.json();
  const std::int64_t messages = member(body, "messages") == nullptr ? 1'000 : whole(body, "messages").value_or(0);
  if (messages < 1 || messages > kMessagesMax) {
    return respond(refusal(422, "messages must be a whole number from 1 to 10000"));
  }
  if (context.load_test_runs.exchange(true)) return respond(refusal(409, "a load test runs already"));
  const bool posted = context.load.post([&context, messages, respond](kilat::Publisher& publisher) {
    const json::object result = send_messages(context, publisher, messages);
    context.load_test_runs = false;
    respond(Response::json(result));
  });
  if (!posted) respond(refusal(503, "the program is about to end"));
}

/// Asks the server that we carry, on the thread for queries, and hands its answer on.
void forward(Context& context, std::string_view method, const std::string& path, const Responder& respond) {
  const bool posted = context.queries.post([method, path, respond](kilat::Publisher& publisher) {
    const auto answer = method == "GET" ? publisher.get(path) : publisher.call(method, path);
    respond(answer ? Response::json(*answer) : refusal(answer.error()));
  });
  if (!posted) respond(refusal(503, "too many requests wait"));
}

/// A route that changes a failed job, `suffix` behind its name.
auto job_route(Context& context, std::string_view method, std::string_view suffix) {
  return [&context, method, suffix](const Request& request, const Responder& respond) {
    if (auto no = refused(context.tokens, request, kOperator)) return respond(std::move(*no));
    const std::string& job = request.params.at("job");
    if (job.size() > kJobMax || job.find_first_not_of("0123456789abcdef-") != std::string::npos) {
      return respond(refusal(422, "that is not the name of a job"));
    }
    forward(context, method, "/ingest/failed/" + job + std::string(suffix), respond);
  };
}

using Action = Response (*)(Context&, const Request&);

auto for_operators(Context& context, Action action) {
  return [&context, action](const Request& request) {
    if (auto no = refused(context.tokens, request, kOperator)) return std::move(*no);
    return action(context, request);
  };
}

}  // namespace

void add_control_routes(Context& context) {
  kilat::web::Routes& http = context.server.http();
  http.post_later("/api/login",
                  [&context](const Request& request, const Responder& respond) { login(context, request, respond); });
  http.post("/api/firehose", for_operators(context, set_firehose));
  http.post("/api/faults", for_operators(context, break_sensor));
  http.post_later("/api/loadtest", [&context](const Request& request, const Responder& respond) {
    if (auto no = refused(context.tokens, request, kOperator)) return respond(std::move(*no));
    load_test(context, request, respond);
  });
  http.get_later("/api/jobs/failed", [&context](const Request&, const Responder& respond) {
    forward(context, "GET", "/ingest/failed", respond);
  });
  http.post_later("/api/jobs/failed/:job/retry", job_route(context, "POST", "/retry"));
  http.route("DELETE", "/api/jobs/failed/:job", job_route(context, "DELETE", ""));
}

}  // namespace examples::scada
