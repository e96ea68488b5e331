// The parts of kilat/message.h that are no templates.
#include "kilat/message.h"

namespace kilat::io {

const json::value& Args::operator[](std::size_t index) const {
  static const json::value kNull;
  return index < size() ? message_->values[index] : kNull;
}

std::optional<Bytes> Args::bytes(const json::value& placeholder) const {
  const json::object* object = placeholder.if_object();
  const json::value* marked = object != nullptr ? object->if_contains("_placeholder") : nullptr;
  const json::value* number = object != nullptr ? object->if_contains("num") : nullptr;
  if (marked == nullptr || number == nullptr || !marked->is_bool() || !marked->get_bool()) return std::nullopt;
  boost::system::error_code code;
  const auto index = number->to_number<std::size_t>(code);
  if (code || index >= attachments().size()) return std::nullopt;
  return Bytes{attachments()[index]};
}

const json::array& Args::values() const {
  static const json::array kNone;
  return message_ ? message_->values : kNone;
}

const std::vector<std::string>& Args::attachments() const {
  static const std::vector<std::string> kNone;
  return message_ ? message_->attachments : kNone;
}

}  // namespace kilat::io
