// Sessions and bookings in SQLite. Each change is one transaction, its events included; that no session is oversold is
// a CHECK of the table, kept by triggers, so no program error can break it. Throws Refusal for what is not allowed
// (404, 409, 403 for somebody else's booking, 422 for a key that was used for something else) and DatabaseError.
// Belongs to one Worker. Bound: lists have kListMax entries, the newest.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "booking/outbox.h"
#include "booking/records.h"
#include "common/tokens.h"

namespace examples::booking {

class Store {
 public:
  static constexpr std::int64_t kListMax = 500;

  /// A booking that is not paid after `hold_ms` is cancelled.
  Store(Database& database, Outbox& outbox, std::int64_t hold_ms);

  std::vector<Session> sessions();
  Session add_session(const std::string& name, const std::string& date, std::int64_t capacity);
  /// 409 when more is booked already.
  Session set_capacity(std::int64_t session_id, std::int64_t capacity);

  struct Booked {
    Booking booking;
    bool repeated;  ///< the key was known: this is the booking it made
  };
  /// 409 when there are not as many seats. A key (may be empty) makes one booking of its user, however often it comes.
  Booked book(const User& user, std::int64_t session_id, std::int64_t seats, const std::string& key);
  /// All for an admin, the user's own otherwise; newest first.
  std::vector<Booking> bookings(const User& user);
  /// Pays, and confirms by that.
  Booking pay(const User& user, std::int64_t booking_id);
  /// Gives the seats back, and the money.
  Booking cancel(const User& user, std::int64_t booking_id);
  /// Of an admin, for those who pay at the door: the hold ends.
  Booking confirm(const User& user, std::int64_t booking_id);

  /// Cancels what was held for too long, and forgets old idempotency keys. Returns how many holds have ended.
  std::size_t expire();
  /// A message to everybody.
  boost::json::object notify(const std::string& message, const std::string& level);

 private:
  Session session(std::int64_t id);
  Booking booking(std::int64_t id);
  Booking booking_for(const User& user, std::int64_t id);
  Session touch(std::int64_t session_id);
  Booking change(const Booking& from, const std::string& status, const std::string& payment_status);
  void tell_status(const Booking& booking);

  Database& database_;
  Outbox& outbox_;
  std::int64_t hold_ms_;
};

}  // namespace examples::booking
