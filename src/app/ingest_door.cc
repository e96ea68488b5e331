#include "app/ingest_door.h"

#include <memory>
#include <utility>

#include "api/answer.h"
#include "api/event_body.h"
#include "app/shard.h"
#include "base/log.h"
#include "base/memory_reserve.h"
#include "ingest/answers.h"
#include "ingest/range_query.h"

namespace kilat::app {
namespace {

using api::ok;
using api::refusal;
using store::Fault;
using store::IngestFile;

// From the writer's thread to the request.
void send(Shard& shard, api::Ticket ticket, http::Response response) {
  const memory::MustSucceed sending;
  shard.post([&shard, ticket, response = std::move(response)] { shard.answer_later(ticket, response); });
}

http::Response refused(const Error& error) {
  return refusal(error.reason, error.detail);
}

http::Response accepted(const store::AcceptedJob& job, const ingest::NameOf& name_of) {
  http::Response response = ok(ingest::accepted_json(job, name_of));
  response.status = 202;
  return response;
}

// A question that is answered by one look into the file.
template <typename Look>
store::IngestLog::Question one_look(Shard& shard, api::Ticket ticket, Look look) {
  return [&shard, ticket, look = std::move(look)](IngestFile* file, const Fault*) {
    if (file == nullptr) {
      send(shard, ticket, refusal(Reason::kIngestUnavailable));
      return true;
    }
    store::Outcome<std::string> json = look(*file);
    if (!json) log::event(log::Level::kWarn, "ingest_read_failed", {{"why", json.error().why}});
    send(shard, ticket, json ? ok(std::move(*json)) : refusal(Reason::kIngestUnavailable));
    return true;
  };
}

}  // namespace

IngestDoor::Answer IngestDoor::handle(const http::Request& request, const api::ForIngest& what, api::Ticket ticket) {
  using Kind = api::ForIngest::Kind;
  const hub::App& app = *what.app;
  switch (what.kind) {
    case Kind::kAccept: return accept(request, app, ticket);
    case Kind::kQueue: return queue(app, ticket);
    case Kind::kFailed: return failed(request, app, ticket);
    case Kind::kRetry:
    case Kind::kForget: return change(what, ticket);
    case Kind::kReadings: return readings(request, app, ticket);
    case Kind::kSensors: break;
  }
  return sensors(request, app, ticket);
}

IngestDoor::Answer IngestDoor::accept(const http::Request& request, const hub::App& app, api::Ticket ticket) {
  const hub::IngestSettings& settings = app.settings.ingest;
  if (!settings.on()) return refusal(Reason::kIngestOff);
  const ingest::BodyParser::Limits limits{.unpacked_bytes_max = shard_.settings().http.body_bytes_max,
                                          .reading_bytes_max = app.settings.event_bytes_max};
  Result<ingest::Readings> readings = parser_.parse({.content_type = request.header("Content-Type"),
                                                     .content_encoding = request.header("Content-Encoding"),
                                                     .bytes = request.body()},
                                                    settings, limits, shard_.unix_now_ms());
  if (!readings) return refused(readings.error());
  store::NewJob job{.app = app.settings.id,
                    .key = std::string(request.header("Idempotency-Key")),
                    .data = std::move(readings->data),
                    .readings = readings->count,
                    .store = settings.keep_s > 0,
                    .unix_ms = shard_.unix_now_ms()};
  const auto told = [&shard = shard_, &log = log_, ticket](store::Outcome<store::AcceptedJob> done) {
    const auto name_of = [&log](int64_t id) { return log.name_of(id); };
    send(shard, ticket, done ? accepted(*done, name_of) : refusal(Reason::kIngestUnavailable));
  };
  switch (log_.accept(std::move(job), told)) {
    case store::IngestLog::Taken::kYes: return std::nullopt;
    case store::IngestLog::Taken::kTooLarge: return refusal(Reason::kHttpBodyTooLarge, "ingest.queue_bytes_max");
    case store::IngestLog::Taken::kFull: return refusal(Reason::kIngestQueueFull);
    case store::IngestLog::Taken::kStopped: break;
  }
  return refusal(Reason::kIngestUnavailable);
}

Result<std::unique_ptr<IngestUpload>> IngestDoor::begin_upload(const http::Request& request, const hub::App& app,
                                                               api::Ticket ticket) {
  const hub::IngestSettings& settings = app.settings.ingest;
  if (!settings.on()) return fail(Reason::kIngestOff);
  const ingest::Packing packing = ingest::packing_of(request.header("Content-Encoding"));
  if (packing == ingest::Packing::kUnknown) return fail(Reason::kIngestEncodingUnknown);
  const std::string_view key = request.header("Idempotency-Key");
  if (!key.empty() && !api::valid_idempotency_key(key)) return fail(Reason::kApiIdempotencyKeyInvalid);
  if (*uploads_ >= IngestUpload::kUploadsMax) return fail(Reason::kApiOverCapacity);
  return std::make_unique<IngestUpload>(
      shard_, log_, parser_, uploads_,
      IngestUpload::What{.app = app.index,
                         .app_id = app.settings.id,
                         .key = std::string(key),
                         .settings = settings,
                         .limits = {.unpacked_bytes_max = 0, .reading_bytes_max = app.settings.event_bytes_max},
                         .packed = packing == ingest::Packing::kGzip,
                         .ticket = ticket});
}

IngestDoor::Answer IngestDoor::ask(store::IngestLog::Question question) {
  if (log_.ask(std::move(question))) return std::nullopt;
  return refusal(Reason::kIngestUnavailable);
}

IngestDoor::Answer IngestDoor::queue(const hub::App& app, api::Ticket ticket) {
  return ask(one_look(shard_, ticket, [id = app.settings.id](IngestFile& file) -> store::Outcome<std::string> {
    TRY(const store::QueueFigures figures, file.figures(id));
    return ingest::queue_json(figures);
  }));
}

IngestDoor::Answer IngestDoor::failed(const http::Request& request, const hub::App& app, api::Ticket ticket) {
  const http::Query query(request.query());
  const Result<uint32_t> limit = ingest::parse_limit(query, 100, ingest::kListLimitMax);
  if (!limit) return refused(limit.error());
  int64_t after = 0;
  if (const auto name = query.get("after")) {
    after = log_.parse_name(*name);
    if (after == 0) return refusal(Reason::kApiParameterInvalid, "after");
  }
  const auto look = [id = app.settings.id, after, limit = *limit,
                     &log = log_](IngestFile& file) -> store::Outcome<std::string> {
    TRY(const std::vector<store::FailedJob> jobs, file.failed(id, after, limit));
    return ingest::failed_json(jobs, limit, [&log](int64_t job) { return log.name_of(job); });
  };
  return ask(one_look(shard_, ticket, look));
}

IngestDoor::Answer IngestDoor::change(const api::ForIngest& what, api::Ticket ticket) {
  int64_t id = 0;
  if (!what.job.empty()) {
    id = log_.parse_name(what.job);
    if (id == 0) return refusal(Reason::kIngestJobUnknown);
  }
  const bool retry = what.kind == api::ForIngest::Kind::kRetry;
  const auto told = [&shard = shard_, ticket, id, retry](store::Outcome<uint64_t> jobs) {
    if (!jobs) return send(shard, ticket, refusal(Reason::kIngestUnavailable));
    if (id != 0 && *jobs == 0) return send(shard, ticket, refusal(Reason::kIngestJobUnknown));
    send(shard, ticket, ok((retry ? R"({"retried":)" : R"({"forgotten":)") + std::to_string(*jobs) + "}"));
  };
  const std::string& app = what.app->settings.id;
  if (retry ? log_.retry(app, id, told) : log_.forget(app, id, told)) return std::nullopt;
  return refusal(Reason::kIngestUnavailable);
}

IngestDoor::Answer IngestDoor::sensors(const http::Request& request, const hub::App& app, api::Ticket ticket) {
  const http::Query query(request.query());
  const Result<uint32_t> limit = ingest::parse_limit(query, 1'000, ingest::kListLimitMax);
  if (!limit) return refused(limit.error());
  std::optional<std::string> after;
  if (const auto text = query.get("after")) after = std::string(*text);
  const auto look = [id = app.settings.id, after = std::move(after),
                     limit = *limit](IngestFile& file) -> store::Outcome<std::string> {
    TRY(const std::vector<store::SensorRow> sensors, file.sensors(id, after, limit));
    return ingest::sensors_json(sensors, limit);
  };
  return ask(one_look(shard_, ticket, look));
}

// Read slice by slice.
IngestDoor::Answer IngestDoor::readings(const http::Request& request, const hub::App& app, api::Ticket ticket) {
  Result<ingest::RangeQuery> query = ingest::parse_range(http::Query(request.query()));
  if (!query) return refused(query.error());
  query->range.app = app.settings.id;
  auto answer = std::make_shared<ingest::RangeAnswer>(std::move(*query));
  return ask([&shard = shard_, ticket, answer](IngestFile* file, const Fault*) {
    if (file == nullptr) {
      send(shard, ticket, refusal(Reason::kIngestUnavailable));
      return true;
    }
    const store::Outcome<bool> more = file->read(answer->range(), store::IngestLog::kRowsPerSlice, *answer);
    if (more && *more) return false;
    if (!more) log::event(log::Level::kWarn, "ingest_read_failed", {{"why", more.error().why}});
    send(shard, ticket, more ? ok(answer->take()) : refusal(Reason::kIngestUnavailable));
    return true;
  });
}

}  // namespace kilat::app
