#include "cli/tail_line.h"

#include <array>
#include <boost/json.hpp>
#include <cstdio>
#include <ctime>

#include "cli/failure.h"

namespace kilat::cli {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr) return {};
  if (const json::string* text = value->if_string()) return fit_for_terminal({text->data(), text->size()});
  return fit_for_terminal(json::serialize(*value));
}

std::string clock_time(int64_t time_ms) {
  const auto seconds = static_cast<time_t>(time_ms / 1000);
  tm local{};
  if (time_ms < 0 || localtime_r(&seconds, &local) == nullptr) return "--:--:--.---";
  std::array<char, 16> stamp{};
  const size_t length = strftime(stamp.data(), stamp.size(), "%H:%M:%S", &local);
  std::array<char, 8> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03d", static_cast<int>(time_ms % 1000));
  return std::string(stamp.data(), length) + fraction.data();
}

}  // namespace

void LineSplitter::feed(std::string_view bytes) {
  for (size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
    finish_line(bytes.substr(0, end));
    bytes.remove_prefix(end + 1);
  }
  if (pending_.size() + bytes.size() > kTailLineBytesMax) {
    too_long_ = true;
    pending_.clear();
  }
  if (!too_long_) pending_.append(bytes);
}

void LineSplitter::reset() {
  pending_.clear();
  too_long_ = false;
}

void LineSplitter::finish_line(std::string_view rest) {
  if (too_long_ || pending_.size() + rest.size() > kTailLineBytesMax) {
    ++skipped_;
  } else if (pending_.empty()) {
    on_line_(rest);
  } else {
    pending_.append(rest);
    on_line_(pending_);
  }
  reset();
}

std::string format_tail_line(std::string_view line) {
  if (line.empty() || line == "\r") return {};
  json::error_code code;
  const json::value parsed = json::parse({line.data(), line.size()}, code);
  if (code || !parsed.is_object()) return fit_for_terminal(line);
  const json::object& object = parsed.get_object();
  if (object.contains("dropped")) return "(" + text_of(object, "dropped") + " events left out: too many for this tail)";
  const json::value* time = object.if_contains("time_ms");
  if (time == nullptr || !object.contains("event")) return fit_for_terminal(line);

  std::string out = clock_time(time->is_int64() ? time->get_int64() : -1);
  out += " " + text_of(object, "channel") + " " + text_of(object, "event");
  if (object.contains("data")) out += " " + text_of(object, "data");
  if (object.contains("user_id")) out += "  user " + text_of(object, "user_id");
  if (object.contains("socket_id")) out += "  socket " + text_of(object, "socket_id");
  return out;
}

}  // namespace kilat::cli
