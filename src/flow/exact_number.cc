#include "flow/exact_number.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace kilat::flow {
namespace {

__extension__ typedef unsigned __int128 UInt128;  // NOLINT(modernize-use-using): as in the header

constexpr int kDigitsMax = 38;  // any number of so many digits is below 2^127

constexpr std::array<Int128, kDigitsMax + 1> kPowers = [] {
  std::array<Int128, kDigitsMax + 1> powers{};
  powers[0] = 1;
  for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The parts of a number's text. Exponents beyond 10^15 are cut to that: no text is long enough to make up for it.
struct Parts {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  int64_t exponent = 0;
};

int64_t read_exponent(std::string_view text) {
  constexpr int64_t kMax = 1'000'000'000'000'000;
  const bool negative = text.starts_with('-');
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  int64_t value = 0;
  for (const char c : text) value = std::min(value * 10 + (c - '0'), kMax);
  return negative ? -value : value;
}

Parts take_apart(std::string_view text) {
  Parts parts;
  parts.negative = text.starts_with('-');
  if (parts.negative) text.remove_prefix(1);
  size_t at = 0;
  while (at < text.size() && is_digit(text[at])) ++at;
  parts.whole = text.substr(0, at);
  if (at < text.size() && text[at] == '.') {
    const size_t begin = ++at;
    while (at < text.size() && is_digit(text[at])) ++at;
    parts.fraction = text.substr(begin, at - begin);
  }
  if (at < text.size()) parts.exponent = read_exponent(text.substr(at + 1));
  return parts;
}

std::string_view without_zeros_at_end(std::string_view digits) {
  while (!digits.empty() && digits.back() == '0') digits.remove_suffix(1);
  return digits;
}

std::string_view without_zeros_before(std::string_view digits) {
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  return digits;
}

// All that matters of a number of any length: 0.d1d2d3… times 10^magnitude, d1 and the last digit not 0.
struct Normal {
  bool negative = false;
  int64_t magnitude = 0;
  std::string digits;  ///< empty: zero
};

Normal normal_form(std::string_view text) {
  const Parts parts = take_apart(text);
  std::string all(parts.whole);
  all += parts.fraction;
  const std::string_view digits = without_zeros_before(all);
  const auto zeros = static_cast<int64_t>(all.size() - digits.size());
  Normal normal;
  normal.digits = without_zeros_at_end(digits);
  if (normal.digits.empty()) return normal;
  normal.negative = parts.negative;
  normal.magnitude = static_cast<int64_t>(parts.whole.size()) - zeros + parts.exponent;
  return normal;
}

int sign_of(const Normal& number) {
  if (number.digits.empty()) return 0;
  return number.negative ? -1 : 1;
}

int compare_texts(std::string_view a_text, std::string_view b_text) {
  const Normal a = normal_form(a_text);
  const Normal b = normal_form(b_text);
  if (sign_of(a) != sign_of(b)) return sign_of(a) - sign_of(b);
  const int size = a.magnitude != b.magnitude ? (a.magnitude < b.magnitude ? -1 : 1) : a.digits.compare(b.digits);
  return a.negative ? -size : size;
}

// Brings a mantissa to a scale that is not smaller than its own.
bool rescale(Int128& mantissa, int from, int to) {
  return from == to || !__builtin_mul_overflow(mantissa, kPowers[static_cast<size_t>(to - from)], &mantissa);
}

int sign_of_difference(Int128 a, Int128 b) {
  return a < b ? -1 : (a > b ? 1 : 0);
}

// 80 bits, so that what is rounded to a double afterwards has been rounded only far below its last bit.
long double wide(Int128 mantissa, int scale) {
  return static_cast<long double>(mantissa) / static_cast<long double>(kPowers[static_cast<size_t>(scale)]);
}

}  // namespace

Number Number::parse(std::string_view text) {
  const Parts parts = take_apart(text);
  const std::string_view whole = without_zeros_before(parts.whole);
  const std::string_view fraction = parts.exponent == 0 ? without_zeros_at_end(parts.fraction) : parts.fraction;
  Number number;
  if (whole.size() + fraction.size() > kDigitsMax) return number;
  // 19 digits fit into 64 bits, whose arithmetic is several times as fast.
  uint64_t low = 0;
  UInt128 all = 0;
  size_t digits = 0;
  for (const std::string_view run : {whole, fraction}) {
    for (const char c : run) {
      const auto digit = static_cast<unsigned>(c - '0');
      if (++digits < 19) {
        low = low * 10 + digit;
      } else {
        all = (digits == 19 ? UInt128{low} : all) * 10 + digit;
      }
    }
  }
  auto mantissa = static_cast<Int128>(digits < 19 ? UInt128{low} : all);
  int64_t scale = static_cast<int64_t>(fraction.size()) - parts.exponent;
  if (mantissa == 0) scale = 0;
  while (parts.exponent != 0 && scale > 0 && mantissa % 10 == 0) mantissa /= 10, --scale;
  if (scale > kScaleMax || scale < -kDigitsMax) return number;
  if (scale < 0) {
    if (!rescale(mantissa, 0, static_cast<int>(-scale))) return number;
    scale = 0;
  }
  number.mantissa = parts.negative ? -mantissa : mantissa;
  number.scale = static_cast<int>(scale);
  number.exact = true;
  return number;
}

int compare(const Number& a, std::string_view a_text, const Number& b, std::string_view b_text) {
  if (a.exact && b.exact) {
    if (a.scale == b.scale) return sign_of_difference(a.mantissa, b.mantissa);
    Int128 left = a.mantissa;
    Int128 right = b.mantissa;
    const int scale = std::max(a.scale, b.scale);
    if (rescale(left, a.scale, scale) && rescale(right, b.scale, scale)) return sign_of_difference(left, right);
  }
  return compare_texts(a_text, b_text);
}

void ExactSum::add(const Number& number, std::string_view text) {
  if (exact_) {
    if (number.exact && add_exact(number)) return;
    exact_ = false;
    rounded_ = static_cast<double>(wide(mantissa_, scale_));
  }
  add_rounded(number.exact ? static_cast<double>(wide(number.mantissa, number.scale)) : nearest_double(text));
}

bool ExactSum::add_exact(const Number& number) {
  Int128 mantissa = mantissa_;
  Int128 term = number.mantissa;
  const int scale = std::max(scale_, number.scale);
  if (!rescale(mantissa, scale_, scale) || !rescale(term, number.scale, scale)) return false;
  if (__builtin_add_overflow(mantissa, term, &mantissa)) return false;
  mantissa_ = mantissa;
  scale_ = scale;
  return true;
}

void ExactSum::add_rounded(double value) {
  const double sum = rounded_ + value;
  lost_ += std::abs(rounded_) >= std::abs(value) ? (rounded_ - sum) + value : (value - sum) + rounded_;
  rounded_ = sum;
}

void ExactSum::append(std::string& out) const {
  if (!exact_) return append_double(out, rounded_ + lost_);
  const bool negative = mantissa_ < 0;
  auto left = negative ? -static_cast<UInt128>(mantissa_) : static_cast<UInt128>(mantissa_);
  std::array<char, kDigitsMax + 3> text{};  // 39 digits of 2^127, the point, a zero before it
  size_t begin = text.size();
  bool begun = false;  // zeros at the end of the decimals are not written
  for (int place = 0; left != 0 || place <= scale_; ++place) {
    if (place == scale_ && begun && place > 0) text[--begin] = '.';
    const auto digit = static_cast<char>('0' + static_cast<unsigned>(left % 10));
    left /= 10;
    begun = begun || digit != '0' || place >= scale_;
    if (begun) text[--begin] = digit;
  }
  if (negative) out += '-';
  out.append(text.data() + begin, text.size() - begin);
}

void ExactSum::append_average(std::string& out, uint64_t count) const {
  if (!exact_) return append_double(out, (rounded_ + lost_) / static_cast<double>(count));
  append_double(out, static_cast<double>(wide(mantissa_, scale_) / static_cast<long double>(count)));
}

double nearest_double(std::string_view text) {
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc::result_out_of_range) return value;
  // from_chars does not say whether it was too large or too small.
  const Normal number = normal_form(text);
  if (number.magnitude < 0) return 0;
  return number.negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
}

void append_double(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  std::array<char, 32> text{};
  out.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr);
}

}  // namespace kilat::flow
