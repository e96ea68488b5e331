#include "noc/alerts.h"

#include "common/clock.h"

namespace examples::noc {
namespace json = boost::json;
namespace {

constexpr std::string_view kSelect =
    "select id, device_id, device, customer, kind, message, status, created_at, acknowledged_at, acknowledged_by,"
    " resolved_at from alerts ";

json::value time_of(const Statement& row, int column) {
  return row.null(column) ? json::value(nullptr) : json::value(row.integer(column));
}

Alert alert_of(const Statement& row) {
  Alert alert{.json = {{"id", row.integer(0)},
                       {"device_id", row.integer(1)},
                       {"device", row.text(2)},
                       {"customer_id", nullptr},
                       {"kind", row.text(4)},
                       {"severity", row.text(4) == "offline" ? "critical" : "warning"},
                       {"message", row.text(5)},
                       {"status", row.text(6)},
                       {"created_at", row.integer(7)},
                       {"acknowledged_at", time_of(row, 8)},
                       {"acknowledged_by", row.null(9) ? json::value(nullptr) : json::value(row.text(9))},
                       {"resolved_at", time_of(row, 10)}},
              .customer = row.text(3)};
  if (!alert.customer.empty()) alert.json["customer_id"] = alert.customer;
  return alert;
}

}  // namespace

Alerts::Alerts(Database& database) : database_(database) {
  database_.script(
      "create table if not exists alerts (id integer primary key autoincrement, device_id integer not null,"
      " device text not null, customer text not null, kind text not null, message text not null, status text not null,"
      " created_at integer not null, acknowledged_at integer, acknowledged_by text, resolved_at integer);"
      "create unique index if not exists alerts_open on alerts (device_id, kind) where status != 'resolved'");
}

std::optional<Alert> Alerts::raise(const Device& device, std::string_view kind, std::string_view message) {
  const bool made = database_.run(
                        "insert into alerts (device_id, device, customer, kind, message, status, created_at)"
                        " values (?1, ?2, ?3, ?4, ?5, 'open', ?6) on conflict do nothing",
                        device.id, device.name, device.customer, kind, message, unix_ms()) > 0;
  if (!made) return std::nullopt;
  const std::int64_t id = database_.last_id();
  database_.run("delete from alerts where id <= ?1 and status = 'resolved'", id - kAlertsMax);
  return find(id);
}

std::optional<Alert> Alerts::resolve(std::int64_t device, std::string_view kind) {
  std::int64_t id = 0;
  {
    Statement row = database_.query("select id from alerts where device_id = ?1 and kind = ?2 and status != 'resolved'",
                                    device, kind);
    if (!row.step()) return std::nullopt;
    id = row.integer(0);
  }
  database_.run("update alerts set status = 'resolved', resolved_at = ?2 where id = ?1", id, unix_ms());
  return find(id);
}

std::expected<Alert, Alerts::Refused> Alerts::acknowledge(std::int64_t id, std::string_view who) {
  const bool done = database_.run(
                        "update alerts set status = 'acknowledged', acknowledged_at = ?2, acknowledged_by = ?3"
                        " where id = ?1 and status = 'open'",
                        id, unix_ms(), who) > 0;
  std::optional<Alert> alert = find(id);
  if (!alert) return std::unexpected(Refused::kUnknown);
  if (done) return *std::move(alert);
  return std::unexpected(alert->json.at("status") == "resolved" ? Refused::kResolved : Refused::kAcknowledged);
}

json::array Alerts::list(int limit, std::string_view customer) {
  Statement row = database_.query(std::string(kSelect) + "where ?1 = '' or customer = ?1 order by id desc limit ?2",
                                  customer, limit);
  json::array list;
  while (row.step()) list.emplace_back(alert_of(row).json);
  return list;
}

std::optional<Alert> Alerts::find(std::int64_t id) {
  Statement row = database_.query(std::string(kSelect) + "where id = ?1", id);
  if (!row.step()) return std::nullopt;
  return alert_of(row);
}

}  // namespace examples::noc
