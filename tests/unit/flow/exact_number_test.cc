#include "flow/exact_number.h"

#include <gtest/gtest.h>

#include <boost/multiprecision/cpp_int.hpp>
#include <charconv>
#include <cmath>
#include <random>
#include <string>
#include <vector>

namespace kilat::flow {
namespace {

using boost::multiprecision::cpp_int;
using boost::multiprecision::cpp_rational;

// A number as a fraction, by a way of its own: digit for digit.
cpp_rational rational(std::string_view text) {
  cpp_rational value = 0;
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  cpp_rational place = 0;
  int exponent = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '.') {
      place = 1;
    } else if (text[i] == 'e' || text[i] == 'E') {
      exponent = std::stoi(std::string(text.substr(i + 1)));
      break;
    } else if (place != 0) {
      place /= 10;
      value += place * (text[i] - '0');
    } else {
      value = value * 10 + (text[i] - '0');
    }
  }
  for (; exponent > 0; --exponent) value *= 10;
  for (; exponent < 0; ++exponent) value /= 10;
  return negative ? cpp_rational(-value) : value;
}

class Numbers {
 public:
  explicit Numbers(unsigned seed) : random_(seed) {}
  unsigned pick(unsigned below) { return std::uniform_int_distribution<unsigned>(0, below - 1)(random_); }
  std::string next(unsigned digits_max) {
    std::string text = pick(2) == 0 ? "-" : "";
    const unsigned digits = 1 + pick(digits_max);
    text += static_cast<char>(digits == 1 ? '0' + pick(10) : '1' + pick(9));
    for (unsigned i = 1; i < digits; ++i) text += static_cast<char>('0' + pick(10) * (pick(4) != 0));
    if (pick(2) == 0) {
      text += '.';
      for (unsigned i = 0; i <= pick(digits_max); ++i) text += static_cast<char>('0' + pick(10));
    }
    if (pick(4) == 0) {
      text += pick(2) == 0 ? "e" : "E";
      text += std::vector<std::string>{"", "+", "-"}[pick(3)];
      text += std::to_string(pick(12));
    }
    return text;
  }

 private:
  std::mt19937_64 random_;
};

std::string sum_of(const std::vector<std::string>& texts) {
  ExactSum sum;
  for (const std::string& text : texts) sum.add(Number::parse(text), text);
  std::string out;
  sum.append(out);
  return out;
}

TEST(Number, RandomTexts_AreExactlyWhatTheyAre) {
  Numbers numbers(1);
  size_t exact = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = numbers.next(24);
    const Number number = Number::parse(text);
    if (!number.exact) continue;
    ++exact;
    cpp_rational value(cpp_int(number.mantissa));
    for (int s = 0; s < number.scale; ++s) value /= 10;
    ASSERT_EQ(value, rational(text)) << text;
  }
  EXPECT_GT(exact, 15'000U);
}

TEST(Number, Comparison_AgreesWithFractions) {
  Numbers numbers(2);
  for (int i = 0; i < 20'000; ++i) {
    const std::string a = numbers.next(i % 2 == 0 ? 60 : 3);
    const std::string b = i % 7 == 0 ? a + (a.find_first_of(".eE") == std::string::npos ? ".0" : "") : numbers.next(3);
    const int order = compare(Number::parse(a), a, Number::parse(b), b);
    const cpp_rational difference = rational(a) - rational(b);
    ASSERT_EQ(order < 0, difference < 0) << a << " " << b;
    ASSERT_EQ(order > 0, difference > 0) << a << " " << b;
  }
}

TEST(Number, Edges_AreCompared) {
  const auto order = [](std::string_view a, std::string_view b) {
    return compare(Number::parse(a), a, Number::parse(b), b);
  };
  EXPECT_EQ(order("0", "-0.000e5"), 0);
  EXPECT_EQ(order("0e999999999999999999999", "0"), 0);
  EXPECT_LT(order("1e400", "1e401"), 0);
  EXPECT_GT(order("-1e400", "-1e401"), 0);
  EXPECT_LT(order("1e-999999999999999999999", "1"), 0);
  EXPECT_GT(order("1e-999999999999999999999", "0"), 0);
  EXPECT_EQ(order("100000000000000000000000000000000000000000000", "1e44"), 0);
  EXPECT_LT(order("99999999999999999999999999999999999999", "100000000000000000000000000000000000000"), 0);
}

TEST(ExactSum, RandomDecimals_AddUpWithoutRounding) {
  Numbers numbers(3);
  for (int round = 0; round < 200; ++round) {
    ExactSum sum;
    cpp_rational expected = 0;
    for (int i = 0; i < 200; ++i) {
      const std::string text = numbers.next(9);
      sum.add(Number::parse(text), text);
      expected += rational(text);
    }
    ASSERT_TRUE(sum.exact());
    std::string out;
    sum.append(out);
    ASSERT_EQ(rational(out), expected);
    EXPECT_TRUE(out.find('.') == std::string::npos || out.back() != '0') << out;
    std::string average;
    sum.append_average(average, 200);
    const double exactly = static_cast<double>(cpp_rational(expected / 200));
    EXPECT_NEAR(std::stod(average), exactly, std::abs(exactly) * 1e-15);
  }
}

TEST(ExactSum, Texts_AreThePlainest) {
  EXPECT_EQ(sum_of({"0.1", "0.2"}), "0.3");
  EXPECT_EQ(sum_of({"20.50", "-0.5"}), "20");
  EXPECT_EQ(sum_of({"-0.05"}), "-0.05");
  EXPECT_EQ(sum_of({"-0.0"}), "0");
  EXPECT_EQ(sum_of({"1e3", "1E-3"}), "1000.001");
  EXPECT_EQ(sum_of({"9223372036854775807", "9223372036854775807", "1"}), "18446744073709551615");
  EXPECT_EQ(sum_of({"-170141183460469231731687303715884105727"}), "-1.7014118346046923e+38") << "39 digits";
  EXPECT_EQ(sum_of({"99999999999999999999999999999999999999"}), "99999999999999999999999999999999999999");
  EXPECT_EQ(sum_of({"0.00000000000000000000000000000000000001"}), "0.00000000000000000000000000000000000001");
}

TEST(ExactSum, WhatDoesNotFit_GoesOnAsACompensatedDouble) {
  std::vector<std::string> texts{"1e38", "9e37"};
  for (int i = 0; i < 10; ++i) texts.insert(texts.end(), {"0.1", "1e300", "-1e300"});
  EXPECT_EQ(sum_of(texts), "1.9e+38");
  EXPECT_EQ(sum_of({"1e300", "1", "-1e300"}), "1") << "plain addition would answer 0";
  EXPECT_EQ(sum_of({"1e999"}), "null");
  EXPECT_EQ(sum_of({"1e999", "-1e999"}), "null");
  EXPECT_EQ(sum_of({"1e-999", "1"}), "1");
}

TEST(Double, Texts_AreReadAndWritten) {
  EXPECT_EQ(nearest_double("1e999"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(nearest_double("-1e999"), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(nearest_double("-1e-999"), 0.0);
  EXPECT_EQ(nearest_double("0.1"), 0.1);
  std::string out;
  append_double(out, 0.1);
  append_double(out, std::nan(""));
  EXPECT_EQ(out, "0.1null");
}

}  // namespace
}  // namespace kilat::flow
