#include "booking/dates.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <string_view>

namespace examples::booking {
namespace {

std::tm local_time() {
  const std::time_t now = std::time(nullptr);
  std::tm time{};
  localtime_r(&now, &time);
  return time;
}

std::string text_of(const std::tm& time) {
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M", &time)};
}

}  // namespace

bool is_date(const std::string& text) {
  constexpr std::string_view kShape = "0000-00-00T00:00";
  const auto fits = [](char character, char shape) {
    return shape == '0' ? character >= '0' && character <= '9' : character == shape;
  };
  if (!std::ranges::equal(text, kShape, fits)) return false;
  const auto number = [&](std::size_t from, std::size_t size) { return std::stoi(text.substr(from, size)); };
  const std::chrono::year_month_day date{std::chrono::year(number(0, 4)),
                                         std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                         std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  return date.ok() && number(0, 4) >= 1970 && number(11, 2) < 24 && number(14, 2) < 60;
}

std::string local_now() {
  return text_of(local_time());
}

std::string evening_after(int days, int hour) {
  std::tm time = local_time();
  time.tm_mday += days;
  time.tm_hour = hour;
  time.tm_min = 0;
  time.tm_isdst = -1;
  std::mktime(&time);
  return text_of(time);
}

}  // namespace examples::booking
