// Between the texts of the wire and the values of a program. Pure functions; any thread.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kilat/message.h"

namespace kilat::embed {

/// The arguments of an event: raw JSON texts. Nothing when one can't be read.
std::optional<io::Args> args_of(std::span<const std::string_view> arguments, std::span<const std::string> attachments);
/// The same from a JSON list.
std::optional<io::Args> args_of_list(std::string_view list, std::span<const std::string> attachments);

/// The values as a JSON list, to be sent. Nothing when a client could not take it: a text that is not UTF-8, or too
/// many attachments.
std::optional<std::string> list_of(const io::Message& message);

/// One JSON value; nothing when `text` is none.
std::optional<json::value> value_of(std::string_view text);

/// The parameters of a query without its `?`, decoded; of several with one name the first.
std::map<std::string, std::string> query_of(std::string_view raw);

/// The value of the first header of this name, compared without case; empty when there is none.
std::string_view find_header(const std::vector<std::pair<std::string, std::string>>& headers, std::string_view name);

}  // namespace kilat::embed
