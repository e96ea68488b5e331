// What events carry: JSON values (Boost.JSON) and binary attachments.
// io::Args is what a handler gets: immutable, cheap to copy, may be kept and read by any thread.
// io::Message is what is sent: belongs to whoever fills it. Bounds: kAttachmentsMax attachments in one message, because
// the clients take no more.
#pragma once

#include <boost/json.hpp>
#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace kilat {

namespace json = boost::json;

namespace io {

inline constexpr std::size_t kAttachmentsMax = 10;

/// Bytes that are sent beside the JSON: a Buffer, ArrayBuffer or Blob on the client's side.
struct Bytes {
  std::string data;
};

/// Arguments to send. A binary attachment stands in the JSON as an object that only this library and the client
/// understand: {"_placeholder": true, "num": N}.
struct Message {
  json::array values;
  std::vector<std::string> attachments;

  /// Adds an argument: Bytes, or anything that json::value_from takes. Throws what value_from throws.
  template <typename Value>
  void add(Value&& value) {
    using Plain = std::remove_cvref_t<Value>;
    if constexpr (std::same_as<Plain, Bytes>) {
      values.push_back(attach(std::forward<Value>(value)));
    } else if constexpr (std::is_constructible_v<json::value, Value&&>) {
      values.emplace_back(std::forward<Value>(value));
    } else {
      values.push_back(json::value_from(std::forward<Value>(value)));
    }
  }
  /// Adds bytes, and returns what stands for them: put it anywhere into an argument.
  json::value attach(Bytes bytes) {
    attachments.push_back(std::move(bytes.data));
    return json::object{{"_placeholder", true}, {"num", attachments.size() - 1}};
  }
};

/// The arguments of an event or of an answer.
class Args {
 public:
  Args() = default;
  explicit Args(Message message) : message_(std::make_shared<const Message>(std::move(message))) {}

  std::size_t size() const { return message_ ? message_->values.size() : 0; }
  bool empty() const { return size() == 0; }
  /// Argument `index`; null (JSON) behind the last one.
  const json::value& operator[](std::size_t index) const;
  /// Argument `index` as a C++ value, by json::value_to. Throws when it is something else; a handler may let that pass.
  template <typename Value>
  Value get(std::size_t index) const {
    if constexpr (std::same_as<Value, Bytes>) {
      return bytes(index).value();
    } else if constexpr (std::same_as<Value, json::value>) {
      return (*this)[index];
    } else {
      return json::value_to<Value>((*this)[index]);
    }
  }
  /// The bytes of argument `index`, or nothing when it is not binary.
  std::optional<Bytes> bytes(std::size_t index) const { return bytes((*this)[index]); }
  /// The bytes that a value inside of an argument stands for.
  std::optional<Bytes> bytes(const json::value& placeholder) const;
  const json::array& values() const;
  const std::vector<std::string>& attachments() const;
  /// The same arguments, to be sent.
  Message message() const { return message_ ? *message_ : Message{}; }

 private:
  std::shared_ptr<const Message> message_;
};

/// The values as one message. Args or a Message alone stand for all their arguments.
template <typename... Values>
Message message_of(Values&&... values) {
  if constexpr (sizeof...(Values) == 1 && (std::same_as<std::remove_cvref_t<Values>, Args> && ...)) {
    return (values.message(), ...);
  } else if constexpr (sizeof...(Values) == 1 && (std::same_as<std::remove_cvref_t<Values>, Message> && ...)) {
    return (Message(std::forward<Values>(values)), ...);
  } else {
    Message message;
    (message.add(std::forward<Values>(values)), ...);
    return message;
  }
}

}  // namespace io
}  // namespace kilat
