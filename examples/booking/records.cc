#include "booking/records.h"

#include "common/clock.h"

namespace examples::booking {
namespace json = boost::json;

json::object to_json(const Session& session) {
  return {{"session_id", session.id},
          {"session_name", session.name},
          {"date", session.date},
          {"available_slots", session.available()},
          {"total_capacity", session.capacity},
          {"updated_at", iso_time(session.updated_at)}};
}

json::object to_json(const Booking& booking) {
  return {{"booking_id", booking.id},
          {"booking_code", booking.code},
          {"user_id", booking.user_id},
          {"user_name", booking.user_name},
          {"session_id", booking.session_id},
          {"seats", booking.seats},
          {"status", booking.status},
          {"payment_status", booking.payment_status},
          {"created_at", iso_time(booking.created_at)},
          {"hold_until", booking.hold_until ? json::value(iso_time(*booking.hold_until)) : json::value()},
          {"updated_at", iso_time(booking.updated_at)}};
}

json::object capacity_event(const Session& session) {
  return {{"session_id", session.id}, {"current_capacity", session.booked}, {"max_capacity", session.capacity}};
}

json::object status_event(const Booking& booking) {
  return {{"booking_id", booking.id},
          {"booking_code", booking.code},
          {"status", booking.status},
          {"payment_status", booking.payment_status},
          {"updated_at", iso_time(booking.updated_at)}};
}

json::object payment_event(const Booking& booking) {
  return {{"booking_id", booking.id},
          {"booking_code", booking.code},
          {"payment_status", booking.payment_status},
          {"updated_at", iso_time(booking.updated_at)}};
}

}  // namespace examples::booking
