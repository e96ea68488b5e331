#include "http/request.h"

#include "http/text.h"

namespace kilat::http {

const Request::Field* Request::find(std::string_view name) const {
  for (const auto* list : {&joined_, &fields_}) {
    for (const Field& field : *list) {
      if (field.name.length == name.size() && iequals(text(field.name), name)) return &field;
    }
  }
  return nullptr;
}

std::string_view Request::header(std::string_view name) const {
  const Field* field = find(name);
  return field == nullptr ? std::string_view() : text(field->value);
}

bool Request::has_header(std::string_view name) const {
  return find(name) != nullptr;
}

}  // namespace kilat::http
