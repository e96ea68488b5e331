#include "config/source_text.h"

#include <algorithm>
#include <string_view>

#include "base/utf8_repair.h"
#include "config/suggest.h"

namespace kilat::config {
namespace {

// How much of a line may be shown: what stands behind the name of a secret, in whatever spelling, in TOML or JSON, is
// no text for a terminal or a log, whatever else is wrong with the line. npos: all of it.
size_t shown_bytes(std::string_view line) {
  std::string lower(line);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  size_t name = std::string::npos;
  for (const std::string_view word : {"secret", "password", "passphrase", "token"})
    name = std::min(name, lower.find(word));
  const size_t begin = std::min(lower.find_first_not_of(" \t\"'"), lower.size());
  const size_t end = std::min(lower.find_first_of(" \t=:\"'", begin), lower.size());
  if (edit_distance(std::string_view(lower).substr(begin, end - begin), "secret") <= 2) name = begin;
  if (name == std::string::npos) return name;
  size_t sign = line.find_first_of("=:", name);
  if (sign == std::string_view::npos) sign = line.find_first_of("=:");
  return sign == std::string_view::npos ? sign : sign + 1;
}

}  // namespace

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
  raw = cut_utf8(raw, 400);  // a file may be one long line
  const size_t shown = shown_bytes(raw);
  std::string out = repair_utf8(cut_utf8(raw.substr(0, shown), 200));
  if (shown != std::string_view::npos) out += " …";
  // One column each, as the caret below counts them; and a terminal must not obey what a file says.
  std::ranges::replace_if(out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return out;
}

}  // namespace kilat::config
