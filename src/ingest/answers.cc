#include "ingest/answers.h"

#include <optional>
#include <utility>

#include "base/json_text.h"
#include "flow/event_time.h"

namespace kilat::ingest {
namespace {

void append_member(std::string& out, std::string_view name, uint64_t number) {
  out += out.back() == '{' ? "\"" : ",\"";
  out += name;
  out += "\":";
  append_json_number(out, number);
}

// No name: there is no more.
void append_next(std::string& out, const std::optional<std::string>& next) {
  out += R"(],"next":)";
  out += next ? json_string(*next) : "null";
  out += '}';
}

// A time that `from` reads as the same: digits of before March 1973 would be taken for seconds.
std::string from_text(uint64_t unix_ms) {
  std::string digits = std::to_string(unix_ms);
  if (flow::read_unix_time(digits) == unix_ms) return digits;
  std::string iso;
  flow::append_iso_time(iso, unix_ms);
  return iso;
}

}  // namespace

std::string accepted_json(const store::AcceptedJob& job, const NameOf& name_of) {
  std::string out = "{";
  append_member(out, "accepted", job.readings);
  return out + R"(,"job":)" + json_string(name_of(job.id)) + "}";
}

std::string queue_json(const store::QueueFigures& figures) {
  std::string out = "{";
  append_member(out, "jobs", figures.jobs);
  append_member(out, "readings", figures.readings);
  append_member(out, "bytes", figures.bytes);
  if (figures.jobs == 0) {
    out += R"(,"oldest":null)";
  } else {
    append_member(out, "oldest", figures.oldest_ms);
  }
  append_member(out, "failed_jobs", figures.failed_jobs);
  append_member(out, "failed_bytes", figures.failed_bytes);
  return out + "}";
}

std::string failed_json(std::span<const store::FailedJob> jobs, uint32_t limit, const NameOf& name_of) {
  std::string out = R"({"jobs":[)";
  for (const store::FailedJob& job : jobs) {
    if (out.back() != '[') out += ',';
    out += R"({"job":)" + json_string(name_of(job.id));
    append_member(out, "readings", job.readings);
    append_member(out, "bytes", job.bytes);
    append_member(out, "created", job.created_ms);
    append_member(out, "failed", job.failed_ms);
    append_member(out, "tries", job.tries);
    out += R"(,"error":)" + json_string(job.error) + "}";
  }
  append_next(out, jobs.size() < limit ? std::nullopt : std::optional(name_of(jobs.back().id)));
  return out;
}

std::string sensors_json(std::span<const store::SensorRow> sensors, uint32_t limit) {
  std::string out = R"({"sensors":[)";
  for (const store::SensorRow& sensor : sensors) {
    if (out.back() != '[') out += ',';
    out += R"({"sensor":)" + json_string(sensor.name);
    append_member(out, "first", sensor.first_ms);
    append_member(out, "last", sensor.last_ms);
    out += R"(,"value":)";
    out += sensor.last_value.empty() ? "null" : sensor.last_value;
    out += '}';
  }
  // A sensor may have no name, and has a place among the others all the same.
  append_next(out, sensors.size() < limit ? std::nullopt : std::optional(sensors.back().name));
  return out;
}

RangeAnswer::RangeAnswer(RangeQuery query) : query_(std::move(query)) {
  json_ = R"({"sensor":)" + json_string(query_.range.sensor);
  if (query_.step_ms != 0) append_member(json_, "step", query_.step_ms);
  json_ += query_.step_ms != 0 ? R"(,"steps":[)" : R"(,"readings":[)";
}

bool RangeAnswer::on_reading(const store::Reading& reading, store::ReadingRange::Place place) {
  if (query_.step_ms != 0) return on_value(reading);
  if (count_ == query_.limit || json_.size() > kAnswerBytesMax) {
    next_ = std::to_string(last_.unix_ms) + "-" + std::to_string(last_.sequence);
    return false;
  }
  append_reading(reading);
  last_ = place;
  return true;
}

void RangeAnswer::append_reading(const store::Reading& reading) {
  if (json_.back() != '[') json_ += ',';
  ++count_;
  json_ += '{';
  append_member(json_, "time", reading.unix_ms);
  json_ += R"(,"value":)";
  json_ += reading.value.empty() ? std::string_view("null") : reading.value;
  json_ += R"(,"data":)";
  json_ += reading.data;
  json_ += '}';
}

bool RangeAnswer::on_value(const store::Reading& reading) {
  if (reading.value.empty()) return true;
  const uint64_t begin = reading.unix_ms - reading.unix_ms % query_.step_ms;
  if (figures_.count > 0 && begin != step_begin_) close_step();
  if (count_ == query_.limit || json_.size() > kAnswerBytesMax) {
    next_ = from_text(begin);
    return false;
  }
  step_begin_ = begin;
  figures_.add(reading.value, false);
  return true;
}

void RangeAnswer::close_step() {
  if (json_.back() != '[') json_ += ',';
  ++count_;
  json_ += '{';
  append_member(json_, "time", step_begin_);
  std::string figures;
  figures_.append(figures, rule_);
  json_ += ',';
  json_ += std::string_view(figures).substr(1);
  figures_.reset();
}

std::string RangeAnswer::take() {
  if (figures_.count > 0) close_step();
  append_next(json_, next_);
  return std::move(json_);
}

}  // namespace kilat::ingest
