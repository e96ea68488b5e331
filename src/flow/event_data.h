// EventData: the data of one event, taken apart once for all the rules that look at it, and only when one does.
// Data has one of two forms: a JSON string literal that holds JSON (what backends send: "{\"v\":1}"), or a JSON value
// as it stands (client events, Socket.IO). What comes out is in the form that came in. Owner: one Engine; views live
// until the next assign(). Its memory is reused.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "flow/json_pointer.h"

namespace kilat::flow {

enum class Form : uint8_t { kLiteral, kRaw };

inline Form form_of(std::string_view data) {
  return data.size() >= 2 && data.starts_with('"') && data.ends_with('"') ? Form::kLiteral : Form::kRaw;
}

class EventData {
 public:
  EventData();
  ~EventData();
  EventData(const EventData&) = delete;
  EventData& operator=(const EventData&) = delete;

  /// `data`: the bytes of the event's frame, which must stay where they are.
  void assign(std::string_view data);

  std::string_view bytes() const { return data_; }
  Form form() const { return form_of(data_); }

  /// Whether it is JSON, strictly (RFC 8259, UTF-8, nested 512 deep at most); the functions below need that.
  bool is_json();
  /// The JSON without the literal around it, byte for byte.
  std::string_view text() const { return text_; }

  /// The text of the string, number or true or false there, which is what keys are told apart by: the string "1" and
  /// the number 1 are the same key, 1 and 1.0 are not.
  std::optional<std::string_view> key_at(const JsonPointer& pointer) const;
  /// The digits of the number there as they came.
  std::optional<std::string_view> number_at(const JsonPointer& pointer) const;
  /// Milliseconds since 1970: event_time.h, of a string or number.
  std::optional<uint64_t> time_at(const JsonPointer& pointer) const;

  /// Appends `bytes`, data that is_json() held for, without the quotes of a literal, as `form` wants to have it inside
  /// of a larger value of that form. Ends the views of this event when the forms differ.
  void append_inside(std::string& out, std::string_view bytes, Form form);

 private:
  struct Parsed;

  std::string_view data_;
  std::string_view text_;
  std::optional<bool> is_json_;
  std::unique_ptr<Parsed> parsed_;
};

/// JSON as data of that form.
std::string in_form(std::string&& json, Form form);

}  // namespace kilat::flow
