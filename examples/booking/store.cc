#include "booking/store.h"

#include <algorithm>
#include <optional>
#include <random>

#include "booking/dates.h"
#include "common/clock.h"
#include "common/refusal.h"

namespace examples::booking {
namespace json = boost::json;
namespace {

constexpr std::int64_t kKeyAgeMs = 24LL * 60 * 60 * 1000;
constexpr std::int64_t kExpireAtOnceMax = 200;
constexpr std::string_view kSessionColumns = "select id, name, date, capacity, booked, updated_at from sessions";
constexpr std::string_view kBookingColumns =
    "select id, code, user_id, user_name, session_id, seats, status, payment_status, created_at, hold_until, updated_at"
    " from bookings";

constexpr const char* kSchema = R"(
create table if not exists sessions (
  id integer primary key autoincrement,
  name text not null,
  date text not null,
  capacity integer not null check (capacity > 0),
  booked integer not null default 0 check (booked between 0 and capacity),
  updated_at integer not null
);
create table if not exists bookings (
  id integer primary key autoincrement,
  code text not null unique,
  user_id text not null,
  user_name text not null,
  session_id integer not null references sessions,
  seats integer not null check (seats > 0),
  status text not null check (status in ('pending', 'confirmed', 'cancelled')),
  payment_status text not null check (payment_status in ('unpaid', 'paid', 'refunded')),
  created_at integer not null,
  hold_until integer,
  updated_at integer not null
);
create index if not exists bookings_of_user on bookings (user_id);
create index if not exists bookings_held on bookings (hold_until) where hold_until is not null;
create table if not exists idempotency_keys (
  user_id text not null,
  key text not null,
  booking_id integer not null references bookings,
  created_at integer not null,
  primary key (user_id, key)
) without rowid;
create trigger if not exists seats_taken after insert on bookings when new.status <> 'cancelled' begin
  update sessions set booked = booked + new.seats where id = new.session_id;
end;
create trigger if not exists seats_moved after update of status, seats, session_id on bookings begin
  update sessions set booked = booked - old.seats where id = old.session_id and old.status <> 'cancelled';
  update sessions set booked = booked + new.seats where id = new.session_id and new.status <> 'cancelled';
end;
create trigger if not exists seats_freed after delete on bookings when old.status <> 'cancelled' begin
  update sessions set booked = booked - old.seats where id = old.session_id;
end;
)";

Session session_of(const Statement& row) {
  return {.id = row.integer(0),
          .name = row.text(1),
          .date = row.text(2),
          .capacity = row.integer(3),
          .booked = row.integer(4),
          .updated_at = row.integer(5)};
}

Booking booking_of(const Statement& row) {
  return {.id = row.integer(0),
          .code = row.text(1),
          .user_id = row.text(2),
          .user_name = row.text(3),
          .session_id = row.integer(4),
          .seats = row.integer(5),
          .status = row.text(6),
          .payment_status = row.text(7),
          .created_at = row.integer(8),
          .hold_until = row.null(9) ? std::nullopt : std::optional(row.integer(9)),
          .updated_at = row.integer(10)};
}

/// "BK-" and eight characters that are not mistaken for one another.
std::string fresh_code() {
  constexpr std::string_view kAlphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
  std::random_device random;
  std::string code = "BK-";
  for (int i = 0; i < 8; ++i) code += kAlphabet[random() % kAlphabet.size()];
  return code;
}

}  // namespace

Store::Store(Database& database, Outbox& outbox, std::int64_t hold_ms)
    : database_(database), outbox_(outbox), hold_ms_(hold_ms) {
  database_.script(kSchema);
}

std::vector<Session> Store::sessions() {
  std::vector<Session> all;
  Statement rows = database_.query(std::string(kSessionColumns) + " order by date desc, id desc limit ?1", kListMax);
  while (rows.step()) all.push_back(session_of(rows));
  std::ranges::reverse(all);
  return all;
}

Session Store::session(std::int64_t id) {
  Statement row = database_.query(std::string(kSessionColumns) + " where id = ?1", id);
  if (!row.step()) throw Refusal(404, "there is no such session");
  return session_of(row);
}

/// Tells everybody about a session that has changed. Its time grows with each change, so that pages know what is newer.
Session Store::touch(std::int64_t session_id) {
  database_.run("update sessions set updated_at = max(?1, updated_at + 1) where id = ?2", unix_ms(), session_id);
  Session changed = session(session_id);
  outbox_.add("availability", "AvailabilityUpdated", to_json(changed));
  return changed;
}

Session Store::add_session(const std::string& name, const std::string& date, std::int64_t capacity) {
  Transaction transaction(database_);
  database_.run("insert into sessions (name, date, capacity, updated_at) values (?1, ?2, ?3, 0)", name, date, capacity);
  Session added = touch(database_.last_id());
  transaction.commit();
  return added;
}

Session Store::set_capacity(std::int64_t session_id, std::int64_t capacity) {
  Transaction transaction(database_);
  if (const Session before = session(session_id); capacity < before.booked) {
    throw Refusal(409, std::to_string(before.booked) + " seats are booked already");
  }
  database_.run("update sessions set capacity = ?1 where id = ?2", capacity, session_id);
  Session changed = touch(session_id);
  outbox_.add("availability", "CapacityUpdated", capacity_event(changed));
  transaction.commit();
  return changed;
}

Store::Booked Store::book(const User& user, std::int64_t session_id, std::int64_t seats, const std::string& key) {
  Transaction transaction(database_);
  Statement known =
      database_.query("select booking_id from idempotency_keys where user_id = ?1 and key = ?2", user.id, key);
  if (!key.empty() && known.step()) {
    const Booking made = booking(known.integer(0));
    if (made.session_id == session_id && made.seats == seats) return {.booking = made, .repeated = true};
    throw Refusal(422, "this Idempotency-Key was used for another booking");
  }
  const Session wanted = session(session_id);
  if (wanted.date <= local_now()) throw Refusal(409, "the session has begun already");
  if (seats > wanted.available()) {
    throw Refusal(
        409, wanted.available() == 0 ? "sold out" : "only " + std::to_string(wanted.available()) + " seats are left");
  }
  const std::int64_t now = unix_ms();
  database_.run(
      "insert into bookings (code, user_id, user_name, session_id, seats, status, payment_status, created_at,"
      " hold_until, updated_at) values (?1, ?2, ?3, ?4, ?5, 'pending', 'unpaid', ?6, ?7, ?6)",
      fresh_code(), user.id, user.name, session_id, seats, now, now + hold_ms_);
  const Booking made = booking(database_.last_id());
  if (!key.empty()) {
    database_.run("insert into idempotency_keys values (?1, ?2, ?3, ?4)", user.id, key, made.id, now);
  }
  touch(session_id);
  tell_status(made);
  transaction.commit();
  return {.booking = made, .repeated = false};
}

std::vector<Booking> Store::bookings(const User& user) {
  Statement rows = database_.query(std::string(kBookingColumns) + " where ?1 or user_id = ?2 order by id desc limit ?3",
                                   user.has_role("admin"), user.id, kListMax);
  std::vector<Booking> all;
  while (rows.step()) all.push_back(booking_of(rows));
  return all;
}

Booking Store::booking(std::int64_t id) {
  Statement row = database_.query(std::string(kBookingColumns) + " where id = ?1", id);
  if (!row.step()) throw Refusal(404, "there is no such booking");
  return booking_of(row);
}

Booking Store::booking_for(const User& user, std::int64_t id) {
  Booking found = booking(id);
  if (found.user_id != user.id && !user.has_role("admin")) throw Refusal(403, "this booking is somebody else's");
  if (found.status == "cancelled") throw Refusal(409, "the booking is cancelled");
  return found;
}

void Store::tell_status(const Booking& booking) {
  for (const std::string_view channel : {"private-booking.", "private-user."}) {
    outbox_.add(std::string(channel) + booking.user_id, "BookingStatusUpdated", status_event(booking));
  }
}

/// The booking in its new state, with all events of the change. The hold ends in any case.
Booking Store::change(const Booking& from, const std::string& status, const std::string& payment_status) {
  database_.run(
      "update bookings set status = ?1, payment_status = ?2, hold_until = null, updated_at = max(?3, updated_at + 1)"
      " where id = ?4",
      status, payment_status, unix_ms(), from.id);
  Booking changed = booking(from.id);
  if (payment_status != from.payment_status) {
    outbox_.add("private-user." + changed.user_id, "PaymentStatusUpdated", payment_event(changed));
  }
  tell_status(changed);
  if (status == "cancelled") touch(changed.session_id);
  return changed;
}

Booking Store::pay(const User& user, std::int64_t booking_id) {
  Transaction transaction(database_);
  const Booking before = booking_for(user, booking_id);
  if (before.payment_status != "unpaid") throw Refusal(409, "the booking is paid already");
  if (before.hold_until && *before.hold_until <= unix_ms()) throw Refusal(409, "the booking was held for too long");
  Booking paid = change(before, "confirmed", "paid");
  transaction.commit();
  return paid;
}

Booking Store::cancel(const User& user, std::int64_t booking_id) {
  Transaction transaction(database_);
  const Booking before = booking_for(user, booking_id);
  Booking cancelled = change(before, "cancelled", before.payment_status == "paid" ? "refunded" : before.payment_status);
  transaction.commit();
  return cancelled;
}

Booking Store::confirm(const User& user, std::int64_t booking_id) {
  Transaction transaction(database_);
  const Booking before = booking_for(user, booking_id);
  if (before.status != "pending") throw Refusal(409, "the booking is confirmed already");
  Booking confirmed = change(before, "confirmed", before.payment_status);
  transaction.commit();
  return confirmed;
}

std::size_t Store::expire() {
  const std::int64_t now = unix_ms();
  std::vector<Booking> ended;
  Statement rows =
      database_.query(std::string(kBookingColumns) + " where hold_until <= ?1 limit ?2", now, kExpireAtOnceMax);
  while (rows.step()) ended.push_back(booking_of(rows));
  if (ended.empty()) return 0;
  Transaction transaction(database_);
  for (const Booking& booking : ended) change(booking, "cancelled", booking.payment_status);
  database_.run("delete from idempotency_keys where created_at < ?1", now - kKeyAgeMs);
  transaction.commit();
  return ended.size();
}

json::object Store::notify(const std::string& message, const std::string& level) {
  Transaction transaction(database_);
  const std::int64_t now = unix_ms();
  json::object notification = {
      {"id", fresh_code()}, {"message", message}, {"level", level}, {"created_at", iso_time(now)}};
  outbox_.add("notifications", "SystemNotification", notification);
  transaction.commit();
  return notification;
}

}  // namespace examples::booking
