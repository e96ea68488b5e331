// Dates of the sessions: local days with a time, as people say them.
#pragma once

#include <string>

namespace examples::booking {

/// Whether it is a day with a time, "2026-01-31T19:30", and there is such a day.
bool is_date(const std::string& text);

/// The local day and time of now, as is_date() takes it: such texts compare as the times they say.
std::string local_now();

/// The local evening so many days from today, as is_date() takes it.
std::string evening_after(int days, int hour);

}  // namespace examples::booking
