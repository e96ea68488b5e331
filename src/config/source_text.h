// The text of a configuration file, for showing the line a message is about. Holds views; main thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.h"

namespace kilat::config {

class SourceText {
 public:
  /// `text` must outlive this object; `file` is copied into every place.
  SourceText(std::string_view text, std::string_view file);

  /// The place with its source line: at most 200 bytes, fit for a terminal, and without the value of a secret.
  Place place(uint32_t line, uint32_t column, uint32_t width) const;

 private:
  std::string shown_line(uint32_t line) const;

  std::vector<std::string_view> lines_;
  std::string file_;
};

}  // namespace kilat::config
