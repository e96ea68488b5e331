#include "config/source_text.h"

#include <algorithm>

#include "base/utf8_repair.h"

namespace kilat::config {

SourceText::SourceText(std::string_view text, std::string_view file) : file_(file) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines_.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

Place SourceText::place(uint32_t line, uint32_t column, uint32_t width) const {
  return {file_, line, column, width, line == 0 ? std::string{} : shown_line(line)};
}

std::string SourceText::shown_line(uint32_t line) const {
  if (line > lines_.size()) return {};
  std::string_view raw = lines_[line - 1];
  if (!raw.empty() && raw.back() == '\r') raw.remove_suffix(1);
  // Whatever is wrong with the line, a terminal or a log is no place for what stands behind "secret =".
  const size_t secret = raw.find("secret");
  std::string out;
  if (const size_t equals = raw.find('=', secret);
      secret != std::string_view::npos && equals != std::string_view::npos) {
    out = repair_utf8(cut_utf8(raw.substr(0, equals + 1), 200)) + " …";
  } else {
    out = repair_utf8(cut_utf8(raw, 200));
  }
  // One column each, as the caret below counts them; and a terminal must not obey what a file says.
  std::ranges::replace_if(out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return out;
}

}  // namespace kilat::config
