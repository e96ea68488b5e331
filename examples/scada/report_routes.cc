// What the program tells of itself: status, durations, alarms.
#include "scada/answers.h"
#include "scada/context.h"

namespace examples::scada {
using kilat::web::Request;
using kilat::web::Responder;
using kilat::web::Response;

void add_report_routes(Context& context) {
  kilat::web::Routes& http = context.server.http();
  http.get("/api/status", [&context](const Request&) { return Response::json(context.status()); });
  http.get("/api/performance", [&context](const Request&) { return Response::json(context.performance.report()); });
  http.get_later("/api/alarms", [&context](const Request&, const Responder& respond) {
    const bool posted =
        context.storage.post([&context, respond] { respond(Response::json({{"alarms", context.store.alarms()}})); });
    if (!posted) respond(refusal(503, "too many requests wait"));
  });
}

}  // namespace examples::scada
