#include "config/dotenv.h"

#include <algorithm>

#include "config/variables.h"

namespace kilat::config {
namespace {

// ${NAME} may stand for ever longer values.
constexpr size_t kValueBytesMax = 4096;
constexpr size_t kEntriesMax = 10'000;
constexpr std::string_view kSpace = " \t\r";

std::string_view trimmed(std::string_view text) {
  const size_t begin = std::min(text.find_first_not_of(kSpace), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  });
}

class Parser {
 public:
  explicit Parser(std::span<const std::string> environment) : environment_(environment) {}

  void take_line(std::string_view line) {
    line = trimmed(line);
    if (line.starts_with("export ")) line = trimmed(line.substr(7));
    const size_t equals = line.find('=');
    if (line.starts_with('#') || equals == std::string_view::npos) return;
    const std::string_view name = trimmed(line.substr(0, equals));
    if (is_name(name) && entries_.size() < kEntriesMax)
      entries_.push_back(std::string(name) + "=" + value_of(trimmed(line.substr(equals + 1))));
  }

  std::vector<std::string> take() { return std::move(entries_); }

 private:
  std::string value_of(std::string_view raw) const {
    if (raw.starts_with('\'')) return std::string(raw.substr(1, raw.find('\'', 1) - 1));
    if (raw.starts_with('"')) return quoted(raw.substr(1));
    if (raw.starts_with('#')) return {};
    // A # begins a comment only after a space: passwords hold it too.
    return expanded(trimmed(raw.substr(0, std::min(raw.find(" #"), raw.find("\t#")))));
  }

  std::string quoted(std::string_view text) const {
    std::string out;
    for (size_t i = 0; i < text.size() && text[i] != '"'; ++i) {
      if (text[i] == '\\' && i + 1 < text.size()) {
        ++i;
        out += text[i] == 'n' ? '\n' : text[i];
      } else if (text[i] == '$') {
        i += append_variable(out, text.substr(i)) - 1;
      } else {
        out += text[i];
      }
    }
    return out;
  }

  std::string expanded(std::string_view text) const {
    std::string out;
    for (size_t i = 0; i < text.size();) {
      if (text[i] == '$') {
        i += append_variable(out, text.substr(i));
      } else {
        out += text[i++];
      }
    }
    return out;
  }

  // `text` begins with a dollar sign. Returns how much of it was taken.
  size_t append_variable(std::string& out, std::string_view text) const {
    const size_t close = text.find('}');
    if (!text.starts_with("${") || close == std::string_view::npos) {
      out += '$';
      return 1;
    }
    if (const std::string_view value = lookup(text.substr(2, close - 2)); out.size() + value.size() <= kValueBytesMax)
      out += value;
    return close + 1;
  }

  std::string_view lookup(std::string_view name) const {
    if (const auto value = find_variable(environment_, name)) return *value;
    return find_variable(entries_, name).value_or("");
  }

  std::span<const std::string> environment_;
  std::vector<std::string> entries_;
};

}  // namespace

std::vector<std::string> parse_dotenv(std::string_view text, std::span<const std::string> environment) {
  Parser parser(environment);
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    parser.take_line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parser.take();
}

}  // namespace kilat::config
