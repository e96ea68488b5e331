#include "embed/text.h"

#include <utility>

#include "http/text.h"
#include "http/uri.h"
#include "ws/utf8.h"

namespace kilat::embed {
namespace {

/// As deep as the server's own parser goes.
constexpr size_t kDepthMax = 512;

}  // namespace

std::optional<json::value> value_of(std::string_view text) {
  json::parse_options options;
  options.max_depth = kDepthMax;
  boost::system::error_code code;
  json::value value = json::parse({text.data(), text.size()}, code, {}, options);
  if (code) return std::nullopt;
  return value;
}

std::optional<io::Args> args_of(std::span<const std::string_view> arguments, std::span<const std::string> attachments) {
  io::Message message;
  message.values.reserve(arguments.size());
  for (const std::string_view argument : arguments) {
    std::optional<json::value> value = value_of(argument);
    if (!value) return std::nullopt;
    message.values.push_back(std::move(*value));
  }
  message.attachments.assign(attachments.begin(), attachments.end());
  return io::Args(std::move(message));
}

std::optional<io::Args> args_of_list(std::string_view list, std::span<const std::string> attachments) {
  std::optional<json::value> value = value_of(list);
  if (!value || !value->is_array()) return std::nullopt;
  io::Message message{.values = std::move(value->get_array()), .attachments = {}};
  message.attachments.assign(attachments.begin(), attachments.end());
  return io::Args(std::move(message));
}

std::optional<std::string> list_of(const io::Message& message) {
  if (message.attachments.size() > io::kAttachmentsMax) return std::nullopt;
  std::string list = json::serialize(message.values);
  if (!ws::is_utf8(list)) return std::nullopt;
  return list;
}

std::map<std::string, std::string> query_of(std::string_view raw) {
  std::map<std::string, std::string> out;
  const http::Query query(raw, http::Plus::kSpace);
  for (const http::Query::Item& item : query.items()) out.emplace(item.name, item.value);
  return out;
}

std::string_view find_header(const std::vector<std::pair<std::string, std::string>>& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (http::iequals(key, name)) return value;
  }
  return {};
}

}  // namespace kilat::embed
