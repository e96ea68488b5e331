#include "flow/key_figures.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/json_text.h"
#include "flow/window_table.h"

namespace kilat::flow {
namespace {

// Six digits: the seventh would say nothing, as the sketch is off by up to one percent.
void append_quantile(std::string& out, double value) {
  if (!std::isfinite(value)) return append_double(out, value);
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 6).ptr;
  out.append(text.data(), end);
}

}  // namespace

void KeyFigures::add(std::string_view value, bool with_sketch) {
  // All that needs memory comes first.
  for (std::string* text : {&min.text, &max.text, &first, &last}) text->reserve(value.size());
  if (with_sketch) {
    if (!sketch) sketch = std::make_unique<QuantileSketch>();
    sketch->add(nearest_double(value));
  }
  const Number number = Number::parse(value);
  if (count == 0) {
    min.assign(value, number);
    max.assign(value, number);
    first = value;
  } else if (compare(number, value, min.number, min.text) < 0) {
    min.assign(value, number);
  } else if (compare(number, value, max.number, max.text) > 0) {
    max.assign(value, number);
  }
  last = value;
  sum.add(number, value);
  ++count;
}

void KeyFigures::append(std::string& out, const FlowRule& rule) const {
  // A quantile lies between the least and the largest value; the middle of a bucket may not.
  const auto quantile = [&](double q) {
    append_quantile(out, std::clamp(sketch->quantile(q), nearest_double(min.text), nearest_double(max.text)));
  };
  out += '{';
  for (const Figure figure : rule.figures) {
    if (out.back() != '{') out += ',';
    out += '"';
    out += name_of(figure);
    out += "\":";
    switch (figure) {
      case Figure::kCount: append_json_number(out, count); break;
      case Figure::kSum: sum.append(out); break;
      case Figure::kMin: out += min.text; break;
      case Figure::kMax: out += max.text; break;
      case Figure::kAverage: sum.append_average(out, count); break;
      case Figure::kFirst: out += first; break;
      case Figure::kLast: out += last; break;
      case Figure::kP50: quantile(0.5); break;
      case Figure::kP95: quantile(0.95); break;
    }
  }
  out += '}';
}

uint64_t KeyFigures::bytes() const {
  // What fits into the object itself is no memory of its own.
  uint64_t bytes = sketch ? sizeof(QuantileSketch) + sketch->bytes() : 0;
  for (const std::string* text : {&min.text, &max.text, &first, &last}) {
    if (text->capacity() > sizeof(std::string)) bytes += text->capacity();
  }
  return bytes;
}

void KeyFigures::reset() {
  using Table = WindowTable<KeyFigures>;
  for (std::string* text : {&min.text, &max.text, &first, &last}) Table::shrink(*text);
  if (sketch) sketch->clear();
  sum = {};
  count = 0;
}

}  // namespace kilat::flow
