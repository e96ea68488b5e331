#include "cli/reason_text.h"

#include <array>
#include <string_view>

#include "base/json_text.h"
#include "base/reason.h"

namespace kilat::cli {
namespace {

constexpr std::string_view kIntroduction = R"(# Reasons

<!-- Made by `kilat reasons --markdown`: edit the table in src/base/reason.cc instead. -->

Every refused request, every error frame and every closed connection has one of these ids. Logs, metrics and answers
use the same id. *Client* says what pusher-js does by itself after a close.

| id | text | pusher:error | close | HTTP | client | what to do |
|---|---|---|---|---|---|---|
)";

std::string_view client_id(Return value) {
  constexpr std::array<std::string_view, 5> kIds{"not_closed", "never", "after_backoff", "at_once", "up_to_client"};
  return kIds[static_cast<size_t>(value)];
}

std::string_view client_text(Return value) {
  constexpr std::array<std::string_view, 5> kTexts{"stays connected", "gives up", "comes back after a pause",
                                                   "comes back at once", "decides by itself"};
  return kTexts[static_cast<size_t>(value)];
}

std::string pusher_code(const ReasonRow& row, std::string_view none) {
  if (row.pusher_code == kNullPusherCode) return "null";
  if (row.pusher_code == kNoPusherCode) return std::string(none);
  return std::to_string(row.pusher_code);
}

std::string or_empty(unsigned code) {
  return code == 0 ? std::string{} : std::to_string(code);
}

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

// The row of kNone is no reason but the lack of one.
bool shown(const ReasonRow& row) {
  return row.reason != Reason::kNone;
}

}  // namespace

std::string reasons_markdown() {
  std::string out(kIntroduction);
  for (const ReasonRow& row : reason_table()) {
    if (!shown(row)) continue;
    out += "| `" + std::string(row.id) + "` | " + cell(row.text) + " | " + pusher_code(row, "") + " | " +
           or_empty(row.close_code) + " | " + or_empty(row.http_status) + " | " + std::string(client_text(row.client)) +
           " | " + cell(row.remedy) + " |\n";
  }
  return out;
}

std::string reasons_json() {
  std::string out = "[";
  for (const ReasonRow& row : reason_table()) {
    if (!shown(row)) continue;
    out += out.size() > 1 ? ",\n{" : "\n{";
    out += "\"id\":" + json_string(row.id) + ",\"text\":" + json_string(row.text) +
           ",\"pusher_code\":" + pusher_code(row, "0") + ",\"close_code\":" + std::to_string(row.close_code) +
           ",\"http_status\":" + std::to_string(row.http_status) + ",\"client\":" + json_string(client_id(row.client)) +
           ",\"remedy\":" + json_string(row.remedy) + "}";
  }
  return out + "\n]\n";
}

std::string reasons_plain() {
  std::string out;
  for (const ReasonRow& row : reason_table()) {
    if (!shown(row)) continue;
    out += std::string(row.id) + ": " + std::string(row.text) + "\n   ";
    if (row.pusher_code != kNoPusherCode) out += " pusher:error " + pusher_code(row, "");
    if (row.close_code != 0) out += " close " + std::to_string(row.close_code);
    if (row.http_status != 0) out += " HTTP " + std::to_string(row.http_status);
    out += " client " + std::string(client_text(row.client)) + "\n    do: " + std::string(row.remedy) + "\n";
  }
  return out;
}

}  // namespace kilat::cli
