// KeyFigures: what aggregate knows of the values of one key in one window. Owner: a window.
// Bounds: four numbers as texts, as long as they came, and a sketch when the rule asks for quantiles.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "flow/exact_number.h"
#include "flow/flow_rule.h"
#include "flow/quantile_sketch.h"

namespace kilat::flow {

struct KeyFigures {
  /// A value with the digits it came with.
  struct Digits {
    std::string text;
    Number number;

    void assign(std::string_view digits, const Number& parsed) {
      text = digits;
      number = parsed;
    }
  };

  std::string key;
  uint64_t count = 0;  ///< 0: sent already
  ExactSum sum;
  Digits min;
  Digits max;
  std::string first;
  std::string last;
  std::unique_ptr<QuantileSketch> sketch;  ///< only where the rule asks for quantiles

  /// Counts a value in. When it throws std::bad_alloc, nothing has changed but what bytes() says.
  void add(std::string_view value, bool with_sketch);
  /// Appends {"count":…,…} with what `rule` asks for, in its order.
  void append(std::string& out, const FlowRule& rule) const;
  /// Its texts and the sketch.
  uint64_t bytes() const;
  void reset();
};

}  // namespace kilat::flow
