#include "cli/failure.h"

#include <cstdio>
#include <string_view>

#include "base/utf8_repair.h"

namespace kilat::cli {

std::string render(const Failure& failure) {
  std::string out = "error: " + failure.what;
  if (!failure.why.empty()) out += ": " + failure.why;
  out += "\n";
  if (!failure.where.empty()) out += "  at    " + failure.where + "\n";
  for (size_t i = 0; i < failure.remedies.size(); ++i)
    out += (i == 0 ? "  try   " : "  or    ") + failure.remedies[i] + "\n";
  return out;
}

int report(const Failure& failure) {
  std::fputs(render(failure).c_str(), stderr);
  return 1;
}

std::string fit_for_terminal(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (const char c : repair_utf8(text)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      out += c;
    } else {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

}  // namespace kilat::cli
