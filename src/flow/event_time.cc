#include "flow/event_time.h"

#include <algorithm>
#include <chrono>

#include "flow/exact_number.h"

namespace kilat::flow {
namespace {

constexpr uint64_t kMax = 253'402'300'799'999;  // the end of the year 9999
constexpr int64_t kMsPerMinute = 60'000;

// Takes what it knows off the front of a text; once something was missing, `failed` stays.
struct Reader {
  std::string_view rest;
  bool failed = false;

  bool take(char c) {
    if (!rest.starts_with(c)) return false;
    rest.remove_prefix(1);
    return true;
  }
  void want(char c) {
    if (!take(c)) failed = true;
  }
  unsigned digits(size_t count, unsigned max) {
    unsigned value = 0;
    for (size_t i = 0; i < count; ++i) {
      if (rest.empty() || rest.front() < '0' || rest.front() > '9') {
        failed = true;
        return 0;
      }
      value = value * 10 + static_cast<unsigned>(rest.front() - '0');
      rest.remove_prefix(1);
    }
    if (value > max) failed = true;
    return value;
  }
};

int64_t read_fraction_ms(Reader& in) {
  int64_t ms = 0;
  int64_t unit = 100;
  if (in.rest.empty() || in.rest.front() < '0' || in.rest.front() > '9') in.failed = true;
  for (; !in.rest.empty() && in.rest.front() >= '0' && in.rest.front() <= '9'; unit /= 10) {
    ms += unit * (in.rest.front() - '0');
    in.rest.remove_prefix(1);
  }
  return ms;
}

int64_t read_zone_ms(Reader& in) {
  if (in.rest.empty() || in.take('Z') || in.take('z')) return 0;
  const bool west = in.rest.front() == '-';
  if (!west && in.rest.front() != '+') in.failed = true;
  in.rest.remove_prefix(1);
  const int64_t hours = in.digits(2, 23);
  in.take(':');
  const int64_t minutes = in.digits(2, 59);
  return (west ? -1 : 1) * (hours * 60 + minutes) * kMsPerMinute;
}

}  // namespace

std::optional<uint64_t> read_iso_time(std::string_view text) {
  Reader in{text};
  const unsigned year = in.digits(4, 9'999);
  in.want('-');
  const unsigned month = in.digits(2, 12);
  in.want('-');
  const unsigned day = in.digits(2, 31);
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!in.take('T') && !in.take('t') && !in.take(' ')) return std::nullopt;
  const int64_t hours = in.digits(2, 23);
  in.want(':');
  int64_t ms = (hours * 60 + in.digits(2, 59)) * kMsPerMinute;
  if (in.take(':')) {
    ms += int64_t{in.digits(2, 60)} * 1'000;  // 60: a leap second counts as the first of the next minute
    if (in.take('.') || in.take(',')) ms += read_fraction_ms(in);
  }
  ms -= read_zone_ms(in);
  if (in.failed || !in.rest.empty() || !date.ok()) return std::nullopt;
  ms += std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::sys_days(date).time_since_epoch()).count();
  if (ms < 0 || static_cast<uint64_t>(ms) > kMax) return std::nullopt;
  return static_cast<uint64_t>(ms);
}

std::optional<uint64_t> read_unix_time(std::string_view text) {
  constexpr Int128 kSecondsEnd = 100'000'000'000;
  const Number number = Number::parse(text);
  if (!number.exact || number.mantissa < 0) return std::nullopt;
  Int128 divisor = 1;
  for (int i = 0; i < number.scale; ++i) divisor *= 10;
  const Int128 whole = number.mantissa / divisor;
  if (whole >= kSecondsEnd) return whole <= Int128{kMax} ? std::optional(static_cast<uint64_t>(whole)) : std::nullopt;
  // Digits below the millisecond are cut before the multiplication, so that it fits.
  Int128 fraction = number.mantissa % divisor;
  int scale = number.scale;
  for (; scale > 3; --scale) fraction /= 10;
  for (; scale < 3; ++scale) fraction *= 10;
  return static_cast<uint64_t>(whole * 1'000 + fraction);
}

void append_iso_time(std::string& out, uint64_t unix_ms) {
  using std::chrono::days;
  const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(std::min(unix_ms, kMax))};
  const auto midnight = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(midnight);
  const std::chrono::hh_mm_ss clock(time - midnight);
  const auto digits = [&](uint64_t value, size_t count, char behind) {
    const std::string text = std::to_string(value);
    out.append(count - std::min(count, text.size()), '0');
    out += text;
    out += behind;
  };
  digits(static_cast<uint64_t>(static_cast<int>(date.year())), 4, '-');
  digits(static_cast<unsigned>(date.month()), 2, '-');
  digits(static_cast<unsigned>(date.day()), 2, 'T');
  digits(static_cast<uint64_t>(clock.hours().count()), 2, ':');
  digits(static_cast<uint64_t>(clock.minutes().count()), 2, ':');
  digits(static_cast<uint64_t>(clock.seconds().count()), 2, '.');
  digits(static_cast<uint64_t>(clock.subseconds().count()), 3, 'Z');
}

}  // namespace kilat::flow
