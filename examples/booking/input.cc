#include "booking/input.h"

#include <algorithm>
#include <optional>

#include "common/refusal.h"
#include "common/text.h"

namespace examples::booking {
namespace json = boost::json;
namespace {

constexpr std::size_t kKeyBytesMax = 128;

const json::value* member(const json::object& object, std::string_view name) {
  return object.if_contains(name);
}

bool is_control(char character) {
  return static_cast<unsigned char>(character) < 0x20 || character == 0x7f;
}

bool is_printable(char character) {
  return character > 0x20 && character < 0x7f;
}

}  // namespace

json::object object_of(const kilat::web::Request& request) {
  if (request.body.empty()) return {};
  const std::optional<json::value> body = request.json();
  if (!body) throw Refusal(400, "the body is not JSON");
  if (!body->is_object()) throw Refusal(422, "the body must be an object");
  return body->get_object();
}

std::int64_t integer_in(const json::object& object, std::string_view name, std::int64_t least, std::int64_t most) {
  const json::value* value = member(object, name);
  if (value == nullptr || !value->is_int64() || value->get_int64() < least || value->get_int64() > most) {
    throw Refusal(422, std::string(name) + " must be a whole number from " + std::to_string(least) + " to " +
                           std::to_string(most));
  }
  return value->get_int64();
}

std::string text_in(const json::object& object, std::string_view name, std::size_t bytes_max) {
  const json::value* value = member(object, name);
  std::string text = value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
  text.erase(0, std::min(text.find_first_not_of(' '), text.size()));
  text.erase(text.find_last_not_of(' ') + 1);
  if (text.empty() || text.size() > bytes_max || std::ranges::any_of(text, is_control)) {
    throw Refusal(422, std::string(name) + " must be a text of 1 to " + std::to_string(bytes_max) + " bytes");
  }
  return text;
}

std::int64_t id_in(const kilat::web::Request& request) {
  const std::string& text = request.params.at("id");
  const std::optional<std::int64_t> id = whole_number(text);
  if (!id) throw Refusal(404, "there is nothing with this id");
  return *id;
}

std::string idempotency_key_in(const kilat::web::Request& request) {
  const std::string key(request.header("idempotency-key"));
  if (key.size() > kKeyBytesMax || !std::ranges::all_of(key, is_printable)) {
    throw Refusal(422, "Idempotency-Key must be 1 to 128 printable characters");
  }
  return key;
}

}  // namespace examples::booking
