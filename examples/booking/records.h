// What the database holds, and how it looks as JSON. Values.
#pragma once

#include <kilat/message.h>

#include <cstdint>
#include <optional>
#include <string>

namespace examples::booking {

inline constexpr std::int64_t kCapacityMax = 10'000;
inline constexpr std::int64_t kSeatsMax = 10;  ///< of one booking

struct Session {
  std::int64_t id = 0;
  std::string name;
  std::string date;
  std::int64_t capacity = 0;
  std::int64_t booked = 0;
  std::int64_t updated_at = 0;

  std::int64_t available() const { return capacity - booked; }
};

struct Booking {
  std::int64_t id = 0;
  std::string code;
  std::string user_id;
  std::string user_name;
  std::int64_t session_id = 0;
  std::int64_t seats = 0;
  std::string status;          ///< pending, confirmed, cancelled
  std::string payment_status;  ///< unpaid, paid, refunded
  std::int64_t created_at = 0;
  std::optional<std::int64_t> hold_until;  ///< when the seats go back, while it is pending
  std::int64_t updated_at = 0;
};

/// Also what the event AvailabilityUpdated carries.
boost::json::object to_json(const Session& session);
boost::json::object to_json(const Booking& booking);

/// The events CapacityUpdated, BookingStatusUpdated, PaymentStatusUpdated.
boost::json::object capacity_event(const Session& session);
boost::json::object status_event(const Booking& booking);
boost::json::object payment_event(const Booking& booking);

}  // namespace examples::booking
