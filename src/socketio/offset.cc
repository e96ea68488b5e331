#include "socketio/offset.h"

#include <charconv>

#include "hub/ids.h"

namespace kilat::socketio {
namespace {

constexpr int kBase = 36;

template <typename Number>
void append(std::string& out, Number number) {
  char text[16];
  out.append(text, std::to_chars(text, text + sizeof(text), number, kBase).ptr);
}

// Takes a number, and the dot behind it.
template <typename Number>
bool take(std::string_view& text, Number& number) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number, kBase);
  if (result.ec != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(result.ptr - text.data()));
  if (text.empty()) return true;
  if (text.front() != '.' || text.size() == 1) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

uint64_t Offset::order_of(size_t home, const ServerRun& of_it) const {
  if (home >= seen.size()) return 0;
  const auto before = static_cast<int64_t>(of_it.first_order - 1);
  // What a client has made up can't be larger than any order.
  if (seen[home] > INT64_MAX - before) return INT64_MAX;
  return seen[home] <= -before ? 0 : static_cast<uint64_t>(before + seen[home]);
}

std::string offset_text(uint64_t number, const ServerRun& run, std::span<const uint64_t> orders) {
  std::string out;
  append(out, number);
  if (run.id == 0) return out;
  append(out += '.', run.id);
  for (const uint64_t order : orders) append(out += '.', static_cast<int64_t>(order - (run.first_order - 1)));
  return out;
}

std::optional<Offset> parse_offset(std::string_view text) {
  Offset offset;
  if (!take(text, offset.number)) return std::nullopt;
  if (text.empty()) return offset;
  if (!take(text, offset.run)) return std::nullopt;
  while (!text.empty()) {
    if (offset.seen.size() == hub::kShardsMax || !take(text, offset.seen.emplace_back())) return std::nullopt;
  }
  return offset;
}

}  // namespace kilat::socketio
