// Writes down what a RequestParser makes of a byte stream, as text, so that two ways of cutting the same stream can be
// compared as a whole. Shared by the unit tests and the fuzz target.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/reason.h"
#include "http/request_parser.h"

namespace kilat::http {

inline std::string describe(const Request& request) {
  std::string out;
  const auto add = [&](std::string_view label, std::string_view value) {
    out.append(label).append("=[").append(value).append("] ");
  };
  add("method", request.method_text());
  add("target", request.target());
  add("path", request.path());
  add("query", request.query());
  add("minor", std::to_string(request.minor_version()));
  add("keep_alive", request.keep_alive() ? "1" : "0");
  add("upgrade", request.upgrade() ? "1" : "0");
  for (const Request::Header header : request.headers()) {
    add(header.name, header.value);
    add("joined", request.header(header.name));
  }
  add("body", request.body());
  return out;
}

/// Feeds `input` in pieces that end at `cuts` (ascending), and lists what came out.
inline std::string transcript(std::string_view input, const std::vector<size_t>& cuts, ParserLimits limits = {}) {
  std::string out;
  RequestParser parser(limits);
  size_t begin = 0;
  for (size_t i = 0; i <= cuts.size(); ++i) {
    const size_t end = i < cuts.size() ? std::min(cuts[i], input.size()) : input.size();
    // A copy of its own, so that a sanitizer sees every read past the piece.
    const std::vector<char> piece(input.begin() + static_cast<std::ptrdiff_t>(begin),
                                  input.begin() + static_cast<std::ptrdiff_t>(end));
    begin = end;
    std::span<const char> in(piece);
    while (!in.empty()) {
      const Status status = parser.feed(in);
      if (status == Status::kError) return out + "error " + std::string(reason_row(parser.error()).id);
      if (status == Status::kExpectContinue) out += "100-continue\n";
      if (status == Status::kComplete) {
        out += describe(parser.request()) + "\n";
        for (size_t k = 0; k < kBodyPadding; ++k) {
          if (parser.request().body().data()[parser.request().body().size() + k] != '\0') out += "PADDING ";
        }
        parser.reset();
      }
    }
  }
  return out + (parser.started() ? "partial" : "idle");
}

/// As one piece.
inline std::string transcript(std::string_view input, ParserLimits limits = {}) {
  return transcript(input, std::vector<size_t>{}, limits);
}

/// Cuts behind every `step` bytes.
inline std::vector<size_t> every(size_t step, size_t size) {
  std::vector<size_t> cuts;
  for (size_t at = step; at < size; at += step) cuts.push_back(at);
  return cuts;
}

}  // namespace kilat::http
