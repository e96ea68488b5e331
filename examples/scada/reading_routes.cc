// Readings in and out: what gateways send, what the page asks of the past.
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <optional>
#include <string>

#include "scada/answers.h"
#include "scada/context.h"

namespace examples::scada {
namespace json = boost::json;
using kilat::web::Request;
using kilat::web::Responder;
using kilat::web::Response;
namespace {

constexpr std::size_t kReadingsMax = 10'000;
constexpr std::size_t kNameMax = 200;
constexpr std::size_t kInletBytesMax = 32 * 1024 * 1024;

/// A chosen range of the page, and how it is folded: about a thousand points in each.
struct Range {
  std::string_view name;
  std::int64_t span_ms;
  std::int64_t step_ms;
};
constexpr std::array<Range, 4> kRanges{
    {{"live", 100'000, 100}, {"15m", 900'000, 1'000}, {"1h", 3'600'000, 4'000}, {"24h", 86'400'000, 90'000}}};

// What is wrong with one reading; empty: nothing. Ingest checks what else kilat.toml says of its fields.
std::string wrong_with(const json::value& reading) {
  const json::object* object = reading.if_object();
  if (object == nullptr) return "must be an object";
  const json::value* channel = object->if_contains("channel");
  if (channel == nullptr || !channel->is_string() || channel->get_string().empty() ||
      channel->get_string().size() > kNameMax) {
    return "channel must be a text of 1 to 200 bytes";
  }
  const json::value* value = object->if_contains("value");
  if (value == nullptr || !value->is_number()) return "value must be a number";
  return {};
}

std::string wrong_with_all(const std::optional<json::value>& body) {
  if (!body) return "the body must be JSON";
  const json::array* array = body->if_array();
  if (array == nullptr) {
    const std::string wrong = wrong_with(*body);
    return wrong.empty() ? wrong : "the reading: " + wrong;
  }
  if (array->empty() || array->size() > kReadingsMax) return "send 1 to 10000 readings";
  for (std::size_t i = 0; i < array->size(); ++i) {
    if (const std::string wrong = wrong_with((*array)[i]); !wrong.empty()) {
      return "reading " + std::to_string(i + 1) + ": " + wrong;
    }
  }
  return {};
}

void watch_body(Context& context, const json::value& body) {
  std::vector<Alarm> alarms;
  const auto see = [&](const json::value& reading) {
    const json::object& object = reading.as_object();
    context.watch.see(object.at("channel").as_string(), object.at("value").to_number<double>(), unix_ms(), alarms);
  };
  if (const json::array* array = body.if_array()) {
    std::ranges::for_each(*array, see);
  } else {
    see(body);
  }
  if (!alarms.empty()) context.tell(std::move(alarms));
}

// The body goes on as it came, so no digit of a value changes on its way.
void take(Context& context, kilat::Publisher& publisher, const Request& request, const Responder& respond) {
  const kilat::Published<kilat::Ingested> taken = [&] {
    const Stopwatch stopwatch(context.performance, "receiver: ingest");
    return publisher.ingest_text(request.body, request.header("idempotency-key"));
  }();
  context.inlet_bytes -= request.body.size();
  if (!taken) return respond(refusal(taken.error()));
  context.received += taken->accepted;
  respond(Response::json({{"accepted", taken->accepted}, {"job", taken->job}}, 202));
  watch_body(context, *request.json());
}

void receive(Context& context, const Request& request, const Responder& respond) {
  if (!context.receiver_key.empty() && request.header("authorization") != "Bearer " + context.receiver_key) {
    return respond(refusal(401, "the receiver wants its key as a bearer token"));
  }
  if (request.header("idempotency-key").size() > 128)
    return respond(refusal(400, "Idempotency-Key: at most 128 bytes"));
  if (const std::string wrong = wrong_with_all(request.json()); !wrong.empty()) return respond(refusal(422, wrong));
  if (context.inlet_bytes.fetch_add(request.body.size()) > kInletBytesMax ||
      !context.inlet.post(
          [&context, request, respond](kilat::Publisher& publisher) { take(context, publisher, request, respond); })) {
    context.inlet_bytes -= request.body.size();
    respond(refusal(503, "too many readings wait; send them again later"));
  }
}

/// [[time, average, min, max, count], …]
json::array points_of(const json::value& answer) {
  json::array points;
  for (const json::value& step : answer.at("steps").as_array()) {
    const json::object& figures = step.as_object();
    points.push_back(
        {figures.at("time"), figures.at("average"), figures.at("min"), figures.at("max"), figures.at("count")});
  }
  return points;
}

void answer_readings(Context& context, kilat::Publisher& publisher, const std::string& sensor, const Range& range,
                     const Responder& respond) {
  const Stopwatch stopwatch(context.performance, "readings: query");
  const std::int64_t now_ms = unix_ms();
  const std::int64_t from_ms = (now_ms - range.span_ms) / range.step_ms * range.step_ms;
  const auto answer = publisher.get("/readings", {{"sensor", sensor},
                                                  {"from", std::to_string(from_ms)},
                                                  {"step", std::to_string(range.step_ms) + "ms"},
                                                  {"limit", "1010"}});
  if (!answer) return respond(refusal(answer.error()));
  respond(
      Response::json({{"sensor", sensor}, {"from", from_ms}, {"step", range.step_ms}, {"points", points_of(*answer)}}));
}

void readings(Context& context, const Request& request, const Responder& respond) {
  const auto sensor = request.query.find("sensor");
  if (sensor == request.query.end() || sensor->second.empty() || sensor->second.size() > kNameMax) {
    return respond(refusal(400, "sensor must be a text of 1 to 200 bytes"));
  }
  const auto wanted = request.query.find("range");
  const auto* const range = std::ranges::find(
      kRanges, wanted == request.query.end() ? std::string_view("15m") : std::string_view(wanted->second),
      &Range::name);
  if (range == kRanges.end()) return respond(refusal(400, "range must be live, 15m, 1h or 24h"));
  if (!context.queries.post([&context, name = sensor->second, range, respond](kilat::Publisher& publisher) {
        answer_readings(context, publisher, name, *range, respond);
      })) {
    respond(refusal(503, "too many requests wait"));
  }
}

/// All sensors that the program has itself.
json::array sensors(const Context& context) {
  json::array all;
  for (const Sensor& sensor : context.plant.sensors()) {
    const Kind& kind = sensor.kind();
    all.push_back({{"name", sensor.name()},
                   {"kind", kind.name},
                   {"unit", kind.unit},
                   {"low", kind.low},
                   {"high", kind.high},
                   {"decimals", kind.decimals}});
  }
  for (const HostSensor& sensor : host_sensors()) {
    all.push_back({{"name", sensor.name},
                   {"kind", sensor.kind},
                   {"unit", sensor.unit},
                   {"low", nullptr},
                   {"high", nullptr},
                   {"decimals", 2}});
  }
  return all;
}

}  // namespace

void add_reading_routes(Context& context) {
  kilat::web::Routes& http = context.server.http();
  http.post_later("/api/scada/receive",
                  [&context](const Request& request, const Responder& respond) { receive(context, request, respond); });
  http.get_later("/api/readings",
                 [&context](const Request& request, const Responder& respond) { readings(context, request, respond); });
  http.get("/api/sensors", [&context](const Request&) {
    return Response::json({{"app_key", context.app.key}, {"sensors", sensors(context)}});
  });
}

}  // namespace examples::scada
