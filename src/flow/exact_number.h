// Numbers of JSON texts, compared and summed without rounding. Values; no memory of their own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kilat::flow {

__extension__ typedef __int128 Int128;  // NOLINT(modernize-use-using): __extension__ wants a declaration

/// A number taken apart: mantissa / 10^scale, when that has room for it.
struct Number {
  static constexpr int kScaleMax = 38;

  Int128 mantissa = 0;
  int scale = 0;       ///< 0 to kScaleMax; the last digit behind the point is no zero
  bool exact = false;  ///< false: more digits than fit, the two above are 0 and only the text says what it is

  /// `text` is a number of RFC 8259.
  static Number parse(std::string_view text);
};

/// < 0, 0 or > 0. The texts are those that `a` and `b` were parsed from; they decide where digits do not fit.
int compare(const Number& a, std::string_view a_text, const Number& b, std::string_view b_text);

/// A sum. Exact as long as it fits into 127 bits at the largest number of decimals among its terms, which is always so
/// for 2^63 integers, or 10^18 terms with twelve digits before the point and eight behind it. When it no longer fits,
/// it goes on as a double with compensation (Neumaier 1974), whose error does not grow with the number of terms.
class ExactSum {
 public:
  void add(const Number& number, std::string_view text);

  bool exact() const { return exact_; }
  /// Appends it as JSON: all digits of an exact one without zeros at the end, else the shortest text of the double;
  /// null when that is beyond what a double holds.
  void append(std::string& out) const;
  /// Appends the sum divided by `count` (not 0), rounded to a double, as its shortest text; null as above.
  void append_average(std::string& out, uint64_t count) const;

 private:
  bool add_exact(const Number& number);
  void add_rounded(double value);

  Int128 mantissa_ = 0;
  int scale_ = 0;
  bool exact_ = true;
  double rounded_ = 0;
  double lost_ = 0;
};

/// The nearest double of a JSON number; an infinity where there is none.
double nearest_double(std::string_view text);

/// Appends the shortest text that reads as `value` again; null for what JSON has no number for.
void append_double(std::string& out, double value);

}  // namespace kilat::flow
