#include "noc/input.h"

#include <algorithm>

#include "common/text.h"

namespace examples::noc {
namespace json = boost::json;

Input::Input(const kilat::web::Request& request) {
  std::optional<json::value> value = request.json();
  if (!value || !value->is_object()) throw Refusal(400, "the body must be a JSON object");
  body_ = std::move(value->as_object());
}

std::string Input::text(std::string_view name, std::size_t bytes_max) const {
  std::optional<std::string> value = optional_text(name, bytes_max);
  if (!value) throw Refusal(400, std::string(name) + " is missing");
  return *std::move(value);
}

std::optional<std::string> Input::optional_text(std::string_view name, std::size_t bytes_max) const {
  const json::value* value = body_.if_contains(name);
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (!value->is_string()) throw Refusal(400, std::string(name) + " must be a text");
  const std::string_view text = value->get_string();
  const bool clean = std::ranges::none_of(text, [](unsigned char letter) { return letter < 0x20 || letter == 0x7f; });
  if (text.empty() || text.size() > bytes_max || !clean) {
    throw Refusal(400, std::string(name) + " must have 1 to " + std::to_string(bytes_max) + " printable characters");
  }
  return std::string(text);
}

std::int64_t Input::integer(std::string_view name, std::int64_t least, std::int64_t most) const {
  const json::value* value = body_.if_contains(name);
  const std::int64_t* number = value == nullptr ? nullptr : value->if_int64();
  if (number == nullptr || *number < least || *number > most) {
    throw Refusal(400, std::string(name) + " must be a whole number from " + std::to_string(least) + " to " +
                           std::to_string(most));
  }
  return *number;
}

double Input::number_or(std::string_view name, double otherwise, double least, double most) const {
  const json::value* value = body_.if_contains(name);
  if (value == nullptr || value->is_null()) return otherwise;
  const double number = value->is_number() ? value->to_number<double>() : least - 1;
  if (!(number >= least && number <= most)) {
    throw Refusal(400, std::string(name) + " must be a number from " + std::to_string(static_cast<long>(least)) +
                           " to " + std::to_string(static_cast<long>(most)));
  }
  return number;
}

std::int64_t id_of(const kilat::web::Request& request, const std::string& name) {
  const std::string& text = request.params.at(name);
  const std::optional<std::int64_t> id = whole_number(text);
  if (!id) throw Refusal(404, "there is no " + text);
  return *id;
}

}  // namespace examples::noc
