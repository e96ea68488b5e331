#include "cli/bench/result.h"

#include <cstdarg>
#include <cstdio>

#include "base/json_text.h"

namespace kilat::cli::bench {
namespace {

struct Percentile {
  const char* name;   // in JSON
  const char* label;  // for people
  double percent;
};

constexpr Percentile kPercentiles[] = {
    {"p50", "p50", 50}, {"p90", "p90", 90}, {"p99", "p99", 99}, {"p99_9", "p99.9", 99.9}, {"max", "max", 100}};

__attribute__((format(printf, 1, 2))) std::string format(const char* pattern, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, pattern);
  std::vsnprintf(text, sizeof text, pattern, arguments);
  va_end(arguments);
  return text;
}

double milliseconds(uint64_t ns) {
  return static_cast<double>(ns) / 1e6;
}

double per_second(uint64_t count, uint64_t ns) {
  return ns == 0 ? 0 : static_cast<double>(count) * 1e9 / static_cast<double>(ns);
}

std::string percentiles_text(const Histogram& histogram) {
  std::string out;
  for (const Percentile& row : kPercentiles) {
    out += format("%s%s %.3g ms", out.empty() ? "" : "   ", row.label, milliseconds(histogram.percentile(row.percent)));
  }
  return out;
}

std::string percentiles_json(const Histogram& histogram) {
  if (histogram.count() == 0) return "null";
  std::string out = "{\"count\":" + std::to_string(histogram.count());
  for (const Percentile& row : kPercentiles) {
    out += format(",\"%s\":%.6f", row.name, milliseconds(histogram.percentile(row.percent)));
  }
  return out + "}";
}

std::string member(const char* name, uint64_t value) {
  return "\"" + std::string(name) + "\":" + std::to_string(value);
}

std::string member(const char* name, double value) {
  return format("\"%s\":%.3f", name, value);
}

std::string member(const char* name, bool value) {
  return "\"" + std::string(name) + "\":" + (value ? "true" : "false");
}

const char* name_of(Via via) {
  return via == Via::kHttp ? "http" : "client-events";
}

std::string plural(uint64_t count, const char* noun) {
  return with_commas(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string heading(const Plan& plan) {
  std::string out = "kilat bench " + plan.url() + ": ";
  out += plural(plan.shape.connections, "connection") + ", " + plural(plan.shape.channels, "channel") + ", ";
  out += plural(plan.payload_bytes, "byte") + ", " + plural(plan.shape.publishers, "publisher") + " via ";
  out += name_of(plan.via);
  if (plan.rate == 0) return out + ", flat out, window " + with_commas(plan.window) + "\n";
  return out + ", " + with_commas(plan.rate) + " publishes/s\n";
}

std::string warnings(const Plan& plan, const Result& result) {
  std::string out;
  if (result.unsent > 0) {
    out += "  warning      " + with_commas(result.unsent) +
           " publishes were due but could not be sent: the rate was not reached, and latency is worse than shown\n";
  }
  if (result.stalls > 0) {
    out +=
        "  warning      nothing came for a while " + plural(result.stalls, "time") + "; the window was opened anew\n";
  }
  if (result.client_cpu > 0.9) {
    out += format("  warning      this tool used %.0f %% of its core: it may be the limit, not the server\n",
                  100 * result.client_cpu);
  }
  if (plan.rate == 0) out += "  note         flat out, latency counts from when the window let a publish go\n";
  return out;
}

std::string reasons_json(const Complaints& complaints) {
  std::string out = "[";
  for (const Complaints::Kind& kind : complaints.kinds()) {
    if (out.size() > 1) out += ',';
    out += "{\"stage\":\"" + std::string(name_of(kind.stage)) + "\",\"code\":" + std::to_string(kind.complaint.code);
    out += ",\"text\":" + json_string(kind.complaint.text) + "," + member("count", kind.count) + "}";
  }
  return out + "]";
}

std::string deliveries_json(const Result& result) {
  const Totals& totals = result.totals;
  return "{" + member("expected", totals.expected) + "," + member("received", totals.received) + "," +
         member("measured", totals.received_measured) + "," +
         member("per_second", per_second(totals.received_measured, result.measured_ns)) + "," +
         member("lost", totals.lost) + "," + member("duplicates", totals.duplicates) + "," +
         member("reordered", totals.reordered) + "," + member("unexpected", totals.unexpected) + "}";
}

}  // namespace

bool Result::ok() const {
  return error.empty() && failed == 0 && dropped == 0 && totals.lost == 0 && totals.duplicates == 0 &&
         totals.reordered == 0 && totals.unexpected == 0 && refused == 0 && complaints.kinds().empty();
}

std::string with_commas(uint64_t value) {
  std::string out = std::to_string(value);
  for (size_t at = out.size(); at > 3;) out.insert(at -= 3, 1, ',');
  return out;
}

std::string report_text(const Plan& plan, const Result& result) {
  const Totals& totals = result.totals;
  std::string out = heading(plan);
  out += "  connections  " + with_commas(result.established) + " of " + with_commas(plan.shape.connections);
  out += format(", %.0f/s", result.connects_per_second);
  if (result.failed > 0) out += ", " + with_commas(result.failed) + " failed";
  if (result.dropped > 0) out += ", " + with_commas(result.dropped) + " dropped";
  out += "\n";
  if (result.connect_ns.count() > 0) out += "  connecting   " + percentiles_text(result.connect_ns) + "\n";
  out += format("  publishes    %.1f/s", per_second(totals.sent_measured, result.measured_ns));
  out += ", " + with_commas(totals.sent) + " in all";
  if (result.refused > 0) out += ", " + with_commas(result.refused) + " refused";
  out += format("\n  deliveries   %.1f/s", per_second(totals.received_measured, result.measured_ns));
  out += ", " + with_commas(totals.received) + " of " + with_commas(totals.expected) + "\n";
  if (result.answer_ns.count() > 0) out += "  answers      " + percentiles_text(result.answer_ns) + "\n";
  if (result.latency_ns.count() > 0) out += "  latency      " + percentiles_text(result.latency_ns) + "\n";
  out += "  lost " + with_commas(totals.lost) + "   duplicates " + with_commas(totals.duplicates) + "   reordered " +
         with_commas(totals.reordered) + "   unexpected " + with_commas(totals.unexpected) + "\n";
  for (const Complaints::Kind& kind : result.complaints.kinds()) {
    out += "  " + with_commas(kind.count) + " x " + name_of(kind.stage) + "  " + text_of(kind.complaint) + "\n";
  }
  return out + warnings(plan, result);
}

std::string report_json(const Plan& plan, const Result& result) {
  const Totals& totals = result.totals;
  const double measured_s = static_cast<double>(result.measured_ns) / 1e9;
  std::string out = "{" + member("ok", result.ok()) + ",\"error\":";
  out += result.error.empty() ? "null" : json_string(result.error);
  out += "," + member("interrupted", result.interrupted) + ",\"url\":";
  out += json_string(plan.url()) + ",\"via\":\"" + name_of(plan.via) + "\",";
  out +=
      member("channels", uint64_t{plan.shape.channels}) + "," + member("payload_bytes", uint64_t{plan.payload_bytes});
  out += "," + member("publishers", uint64_t{plan.shape.publishers}) + ",\"rate\":";
  out += plan.rate == 0 ? "null" : std::to_string(plan.rate);
  out += ",\"window\":" + (plan.rate == 0 ? std::to_string(plan.window) : "null") + ",";
  out += member("duration_s", measured_s) + ",\"connections\":{";
  out += member("wanted", uint64_t{plan.shape.connections}) + "," + member("established", uint64_t{result.established});
  out += "," + member("failed", uint64_t{result.failed}) + "," + member("dropped", uint64_t{result.dropped}) + ",";
  out += member("per_second", result.connects_per_second);
  out += ",\"latency_ms\":" + percentiles_json(result.connect_ns) + "},\"publishes\":{";
  out += member("sent", totals.sent) + "," + member("measured", totals.sent_measured) + ",";
  out += member("per_second", per_second(totals.sent_measured, result.measured_ns)) + ",";
  out += member("refused", result.refused) + "," + member("unsent", result.unsent) + ",";
  out += member("stalls", result.stalls) + ",\"answer_ms\":" + percentiles_json(result.answer_ns) + "},\"deliveries\":";
  out += deliveries_json(result) + ",\"latency_ms\":" + percentiles_json(result.latency_ns) + ",";
  return out + member("client_cpu", result.client_cpu) + ",\"reasons\":" + reasons_json(result.complaints) + "}";
}

}  // namespace kilat::cli::bench
