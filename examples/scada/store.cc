#include "scada/store.h"

namespace examples::scada {
namespace json = boost::json;
namespace {

constexpr int kShown = 50;
constexpr int kKept = 1'000;
constexpr std::string_view kColumns = "select id, sensor, kind, text, value, raised, cleared from alarms ";

json::object alarm_of(const Statement& row) {
  return {{"id", row.integer(0)},
          {"sensor", row.text(1)},
          {"kind", row.text(2)},
          {"text", row.text(3)},
          {"value", row.real(4)},
          {"raised", row.integer(5)},
          {"cleared", row.null(6) ? json::value() : json::value(row.integer(6))}};
}

}  // namespace

Store::Store(const std::filesystem::path& file, std::int64_t now_ms) : database_(file) {
  database_.script(
      "create table if not exists alarms (id integer primary key, sensor text not null, kind text not null,"
      " text text not null, value real not null, raised integer not null, cleared integer);"
      "create table if not exists numbers (name text primary key, value integer not null)");
  database_.run("update alarms set cleared = ?1 where cleared is null", now_ms);
}

json::object Store::note(const Alarm& alarm) {
  if (alarm.raised) {
    database_.run("insert into alarms (sensor, kind, text, value, raised) values (?1, ?2, ?3, ?4, ?5)", alarm.sensor,
                  alarm.kind, alarm.text, alarm.value, alarm.time_ms);
    database_.run("delete from alarms where id <= ?1", database_.last_id() - kKept);
  } else {
    database_.run("update alarms set cleared = ?1 where sensor = ?2 and cleared is null", alarm.time_ms, alarm.sensor);
  }
  Statement row = database_.query(std::string(kColumns) + "where sensor = ?1 order by id desc limit 1", alarm.sensor);
  return row.step() ? alarm_of(row) : json::object();
}

json::array Store::alarms() {
  json::array all;
  Statement row = database_.query(std::string(kColumns) + "order by cleared is not null, id desc limit ?1", kShown);
  while (row.step()) all.push_back(alarm_of(row));
  return all;
}

std::int64_t Store::number(std::string_view name, std::int64_t otherwise) {
  Statement row = database_.query("select value from numbers where name = ?1", name);
  return row.step() ? row.integer(0) : otherwise;
}

void Store::set_number(std::string_view name, std::int64_t value) {
  database_.run("insert or replace into numbers values (?1, ?2)", name, value);
}

}  // namespace examples::scada
