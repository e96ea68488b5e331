#include "app/tap.h"

#include <algorithm>
#include <new>

#include "base/clock.h"
#include "base/json_text.h"
#include "http/cors.h"
#include "http/response.h"

namespace kilat::app {
namespace {

bool matches(const std::string& pattern, std::string_view text) {
  return pattern.empty() || http::wildcard_match(pattern, text);
}

std::string line_of(const hub::Publication& publication) {
  std::string line = R"({"time_ms":)";
  append_json_number(line, unix_ms());
  line += R"(,"channel":)";
  append_json_string(line, publication.channel());
  line += R"(,"event":)";
  append_json_string(line, publication.event());
  line += R"(,"data":)";
  // A line break can only stand between the tokens of the JSON text: as a space it means the same, and no client can
  // make a line of its own.
  std::string data(publication.data());
  std::ranges::replace_if(data, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  line += data;
  if (!publication.user_id().empty()) {
    line += R"(,"user_id":)";
    append_json_string(line, publication.user_id());
  }
  if (publication.from_client()) {
    line += R"(,"socket_id":)";
    append_json_string(line, publication.exclude().text());
  }
  line += "}\n";
  return line;
}

void push_line(Taps::Tap& tap, const std::string& line) {
  std::string bytes;
  if (tap.chunked) {
    http::append_chunk(bytes, line);
  } else {
    bytes = line;
  }
  tap.outbox->push_event(net::FramePtr::make(bytes));
}

}  // namespace

void Taps::deliver(const hub::Publication& publication) {
  std::string line;
  for (Tap& tap : taps_) {
    if (tap.app != publication.app() || !matches(tap.channel, publication.channel()) ||
        !matches(tap.event, publication.event())) {
      continue;
    }
    if (tap.outbox->cost() > kBehindBytes) {
      ++tap.dropped;
      continue;
    }
    try {
      push(tap, publication, line);
    } catch (const std::bad_alloc&) {
      ++tap.dropped;
    }
  }
}

void Taps::push(Tap& tap, const hub::Publication& publication, std::string& line) {
  if (tap.dropped > 0) {
    push_line(tap, R"({"dropped":)" + std::to_string(tap.dropped) + "}\n");
    tap.dropped = 0;
  }
  if (line.empty()) line = line_of(publication);
  push_line(tap, line);
}

}  // namespace kilat::app
