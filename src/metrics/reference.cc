#include "metrics/reference.h"

#include <string_view>

#include "metrics/table.h"

namespace kilat::metrics {
namespace {

constexpr std::string_view kIntroduction = R"(# Metrics

<!-- Made by `kilat metrics --markdown`: edit the table in src/metrics/table.cc instead. -->

Prometheus text at `GET /metrics` on the listener `metrics.listen`, by default `127.0.0.1:9601`; `""` turns it off. That
listener asks for no password, so keep it on loopback or on a private network. When the default address is taken the
server starts without it and says so; an address that was asked for is an error.

```yaml
scrape_configs:
  - job_name: kilat
    static_configs: [{ targets: ["127.0.0.1:9601"] }]
```

`GET /metrics?json=1` has the same figures as JSON, for scripts: an array with an object for each name, as prom-client of
Node.js gives it: `{"name","help","type","values":[{"labels":{},"value":1}]}`. Values of a histogram also have
`metricName`, the name of their line in the text.

- Every shard counts for itself, on its own thread and without atomics, and hands its figures over for a scrape between
  two turns of its loop. A shard that does not answer within two seconds is shown with its last figures and
  `kilat_shard_responding` 0. A scrape of several shards is therefore not one instant.
- `app` is the id of the app. The first 200 apps have their own; all others add up under `(other)`. `reason` is a row of
  [reasons.md](reasons.md). No label holds a channel, a user, an address or a secret.
- Durations are histograms, which may be summed over shards and servers:
  `histogram_quantile(0.99, sum by (le) (rate(kilat_fanout_seconds_bucket[5m])))`.

)";

constexpr std::string_view kSoketi = R"(
## Soketi's names

With `metrics.soketi_prefix = "soketi_"` these are shown as well, for boards that were made for Soketi. `port` is the port
of WebSockets. Bytes are those of events and of API bodies, without framing. The names of its horizontal adapter are
missing: there is none.

)";

constexpr std::string_view kHead = "| name | type | labels | meaning |\n|---|---|---|---|\n";

std::string_view type_text(Type type) {
  switch (type) {
    case Type::kCounter: return "counter";
    case Type::kGauge: return "gauge";
    case Type::kHistogram: return "histogram";
  }
  return {};
}

std::string labels_text(std::string_view labels) {
  std::string out;
  while (!labels.empty()) {
    const size_t comma = labels.find(',');
    if (!out.empty()) out += ", ";
    out += "`" + std::string(labels.substr(0, comma)) + "`";
    labels = comma == std::string_view::npos ? std::string_view() : labels.substr(comma + 1);
  }
  return out;
}

std::string line(const Row& row) {
  return "| `" + std::string(row.name) + "` | " + std::string(type_text(row.type)) + " | " + labels_text(row.labels) +
         " | " + std::string(row.help) + " |\n";
}

}  // namespace

std::string reference_markdown() {
  std::string out(kIntroduction);
  std::string soketi(kSoketi);
  out += kHead;
  soketi += kHead;
  for (const Row& row : table()) (row.soketi() ? soketi : out) += line(row);
  return out + soketi;
}

std::string reference_plain() {
  std::string out;
  for (const Row& row : table()) {
    if (row.soketi()) continue;
    out += std::string(row.name);
    if (!row.labels.empty()) out += "{" + std::string(row.labels) + "}";
    out += "\n    " + std::string(type_text(row.type)) + ". " + std::string(row.help) + "\n";
  }
  return out;
}

}  // namespace kilat::metrics
