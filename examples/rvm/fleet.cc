#include "rvm/fleet.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace examples::rvm {
namespace {

struct Material {
  std::string_view name;
  std::int64_t units;
  const char* add;
};
constexpr std::array kMaterials = {
    Material{"pet", 3, "update machines set pet = pet + ?2, used = used + ?3, seen = ?4 where id = ?1"},
    Material{"cans", 1, "update machines set cans = cans + ?2, used = used + ?3, seen = ?4 where id = ?1"},
    Material{"glass", 4, "update machines set glass = glass + ?2, used = used + ?3, seen = ?4 where id = ?1"},
};
constexpr Time kHour = 3'600'000;
constexpr Time kDay = 24 * kHour;

std::int64_t percent(std::int64_t used) {
  return used * 100 / kCapacity;
}

Status stored(const Statement& row, int column) {
  return status_of(row.text(column)).value();
}

constexpr std::string_view kMachineColumns = "select id, name, place, status, used, changed, changed_by from machines ";

Machine machine_of(const Statement& row) {
  return {.id = row.integer(0),
          .name = row.text(1),
          .place = row.text(2),
          .status = stored(row, 3),
          .used = row.integer(4),
          .changed = row.integer(5),
          .changed_by = row.text(6)};
}

/// A machine that could not take a glass bottle any more counts as full.
bool brimming(std::int64_t used) {
  return kCapacity - used < kMaterials.back().units;
}

}  // namespace

std::optional<std::size_t> material_of(std::string_view name) {
  const auto found = std::ranges::find(kMaterials, name, &Material::name);
  if (found == kMaterials.end()) return std::nullopt;
  return static_cast<std::size_t>(found - kMaterials.begin());
}

Fleet::Fleet(Database& database) : database_(database) {
  database_.script(
      "create table if not exists machines (id integer primary key, name text not null unique, place text not null,"
      " status text not null, used integer not null default 0, pet integer not null default 0,"
      " cans integer not null default 0, glass integer not null default 0, seen integer not null,"
      " changed integer not null, changed_by text not null, change_id integer not null default 0);"
      "create table if not exists changes (id integer primary key autoincrement, rvm_id integer not null"
      " references machines, time integer not null, by text not null, was text not null, became text not null,"
      " used integer not null);"
      "create table if not exists deposits (hour integer not null, material text not null, items integer not null,"
      " primary key (hour, material)) without rowid;");
}

bool Fleet::empty() {
  return !database_.query("select 1 from machines limit 1").step();
}

void Fleet::add(std::string_view name, std::string_view place, Time time) {
  database_.run(
      "insert into machines (name, place, status, seen, changed, changed_by) values (?1, ?2, 'active', ?3, ?3, '')",
      name, place, time);
}

std::vector<Machine> Fleet::machines() {
  std::vector<Machine> all;
  Statement row = database_.query(std::string(kMachineColumns) + "order by id");
  while (row.step()) all.push_back(machine_of(row));
  return all;
}

std::optional<Machine> Fleet::find(std::int64_t id) {
  Statement row = database_.query(std::string(kMachineColumns) + "where id = ?1", id);
  if (!row.step()) return std::nullopt;
  return machine_of(row);
}

Outcome<Change> Fleet::set_status(std::int64_t id, Status to, std::optional<Status> expected, std::string_view by,
                                  Time time) {
  const std::optional<Machine> machine = find(id);
  if (!machine) return std::unexpected(Refused{404, "no such machine"});
  const std::string present(name_of(machine->status));
  if (expected && *expected != machine->status) {
    return std::unexpected(Refused{409, "somebody else was faster: the machine is " + present + " by now"});
  }
  if (machine->status == to) return std::unexpected(Refused{409, "the machine is " + present + " already"});
  std::int64_t used = machine->used;
  if (to == Status::active && (machine->status == Status::full || machine->status == Status::maintenance)) used = 0;
  if (to == Status::active && brimming(used)) {
    return std::unexpected(Refused{409, "the machine has no room left: set maintenance first, which empties it"});
  }
  if (to == Status::full) used = kCapacity;
  database_.run("insert into changes (rvm_id, time, by, was, became, used) values (?1, ?2, ?3, ?4, ?5, ?6)", id, time,
                by, present, name_of(to), used);
  const std::int64_t change = database_.last_id();
  database_.run(
      "update machines set status = ?2, used = ?3, changed = ?4, changed_by = ?5, change_id = ?6 where id = ?1", id,
      name_of(to), used, time, by, change);
  return Change{.id = change,
                .rvm_id = id,
                .rvm_name = machine->name,
                .place = machine->place,
                .from = machine->status,
                .to = to,
                .by = std::string(by),
                .time = time,
                .fill_level = percent(used)};
}

Outcome<Fleet::Deposit> Fleet::deposit(std::int64_t id, std::size_t material, std::int64_t count, Time time) {
  const std::optional<Machine> machine = find(id);
  if (!machine) return std::unexpected(Refused{404, "no such machine"});
  if (machine->status != Status::active) {
    return std::unexpected(Refused{409, "the machine is " + std::string(name_of(machine->status))});
  }
  const Material& what = kMaterials.at(material);
  Deposit result{.taken = std::min(count, (kCapacity - machine->used) / what.units), .change = std::nullopt};
  const std::int64_t units = result.taken * what.units;
  database_.run(what.add, id, result.taken, units, time);
  database_.run(
      "insert into deposits values (?1, ?2, ?3) on conflict (hour, material) do update set items = items + ?3",
      time - time % kHour, what.name, result.taken);
  if (brimming(machine->used + units) || result.taken < count) {
    if (auto change = set_status(id, Status::full, std::nullopt, machine->name, time)) result.change = *change;
  }
  return result;
}

void Fleet::seen(Time time) {
  database_.run("update machines set seen = ?1 where status in ('active', 'full')", time);
}

void Fleet::forget_old(Time time) {
  const Time oldest = time - kKeepDays * kDay;
  database_.run("delete from changes where time < ?1", oldest);
  database_.run("delete from deposits where hour < ?1", oldest);
}

std::int64_t Fleet::last_change() {
  Statement row = database_.query("select coalesce(max(change_id), 0) from machines");
  row.step();
  return row.integer(0);
}

json::object Fleet::public_view() {
  json::array list;
  Statement row =
      database_.query("select id, name, place, status, used, seen, changed, change_id from machines order by id");
  while (row.step()) {
    list.push_back({{"id", row.integer(0)},
                    {"name", row.text(1)},
                    {"place", row.text(2)},
                    {"status", row.text(3)},
                    {"fill_level", percent(row.integer(4))},
                    {"last_seen", iso_time(row.integer(5))},
                    {"updated_at", iso_time(row.integer(6))},
                    {"change_id", row.integer(7)}});
  }
  return {{"machines", std::move(list)}, {"last_change", last_change()}};
}

json::object Fleet::totals(Time time) {
  Statement row = database_.query(
      "select count(*), avg(used * 100.0 / ?1), sum(pet), sum(cans), sum(glass),"
      " (select coalesce(sum(items), 0) from deposits where hour > ?2) from machines",
      kCapacity, time - kDay);
  row.step();
  return {{"machines", row.integer(0)}, {"fill_average", row.real(1)}, {"pet", row.integer(2)},
          {"cans", row.integer(3)},     {"glass", row.integer(4)},     {"items_24h", row.integer(5)}};
}

json::object Fleet::dashboard(Time time) {
  json::object statuses;
  for (const std::string_view name : kStatusNames) statuses[name] = 0;
  json::array list;
  Statement machine = database_.query("select id, used, pet, cans, glass, seen, status from machines order by id");
  while (machine.step()) {
    json::value& counter = statuses[machine.text(6)];
    counter = counter.to_number<std::int64_t>() + 1;
    list.push_back({{"id", machine.integer(0)},
                    {"fill_level", percent(machine.integer(1))},
                    {"pet", machine.integer(2)},
                    {"cans", machine.integer(3)},
                    {"glass", machine.integer(4)},
                    {"last_seen", iso_time(machine.integer(5))}});
  }
  json::array hours;
  Statement hour =
      database_.query("select hour, sum(items) from deposits where hour > ?1 group by hour order by hour", time - kDay);
  while (hour.step()) hours.push_back({{"hour", iso_time(hour.integer(0))}, {"items", hour.integer(1)}});
  return {{"totals", totals(time)},
          {"statuses", std::move(statuses)},
          {"hours", std::move(hours)},
          {"machines", std::move(list)},
          {"updated_at", iso_time(time)}};
}

json::array Fleet::history(int limit) {
  json::array list;
  Statement row = database_.query(
      "select c.id, c.rvm_id, m.name, m.place, c.was, c.became, c.by, c.time, c.used from changes c"
      " join machines m on m.id = c.rvm_id order by c.id desc limit ?1",
      limit);
  while (row.step()) {
    list.push_back(staff_event({.id = row.integer(0),
                                .rvm_id = row.integer(1),
                                .rvm_name = row.text(2),
                                .place = row.text(3),
                                .from = stored(row, 4),
                                .to = stored(row, 5),
                                .by = row.text(6),
                                .time = row.integer(7),
                                .fill_level = percent(row.integer(8))}));
  }
  return list;
}

json::object public_event(const Change& change) {
  return {{"change_id", change.id},          {"rvm_id", change.rvm_id},
          {"rvm_name", change.rvm_name},     {"place", change.place},
          {"status", name_of(change.to)},    {"previous_status", name_of(change.from)},
          {"fill_level", change.fill_level}, {"updated_at", iso_time(change.time)}};
}

json::object staff_event(const Change& change) {
  json::object event = public_event(change);
  event["changed_by"] = change.by;
  return event;
}

}  // namespace examples::rvm
