#include "http/request_builder.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "http/text.h"

namespace kilat::http {
namespace {

constexpr size_t kStorageKept = size_t{16} * 1024;
constexpr size_t kBodyReserveMax = size_t{64} * 1024;

constexpr std::array<std::pair<std::string_view, Method>, 7> kMethods{{
    {"GET", Method::kGet},
    {"HEAD", Method::kHead},
    {"POST", Method::kPost},
    {"PUT", Method::kPut},
    {"PATCH", Method::kPatch},
    {"DELETE", Method::kDelete},
    {"OPTIONS", Method::kOptions},
}};

Method method_of(std::string_view text) {
  for (const auto& [name, method] : kMethods) {
    if (name == text) return method;
  }
  return Method::kOther;
}

/// The length of `http://authority` at the front of an absolute-form target; 0 when it is not one.
size_t absolute_prefix(std::string_view target) {
  const size_t colon = target.find("://");
  if (colon == std::string_view::npos) return 0;
  const std::string_view scheme = target.substr(0, colon);
  if (!iequals(scheme, "http") && !iequals(scheme, "https") && !iequals(scheme, "ws") && !iequals(scheme, "wss")) {
    return 0;
  }
  const size_t authority = colon + 3;
  const size_t end = std::min(target.find_first_of("/?", authority), target.size());
  return end == authority ? 0 : end;
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

void RequestBuilder::clear() {
  Request fresh;
  if (request_.storage_.capacity() <= kStorageKept) fresh.storage_ = std::move(request_.storage_);
  // Taking over an empty string would keep the memory of a large body.
  std::string().swap(request_.storage_);
  fresh.fields_ = std::move(request_.fields_);
  fresh.joined_ = std::move(request_.joined_);
  fresh.storage_.clear();
  fresh.fields_.clear();
  fresh.joined_.clear();
  request_ = std::move(fresh);
  body_offset_ = 0;
}

Request::Slice RequestBuilder::slice(std::string_view part) const {
  if (part.empty()) return {};
  return {static_cast<uint32_t>(part.data() - storage().data()), static_cast<uint32_t>(part.size())};
}

void RequestBuilder::request_line(std::string_view method, std::string_view target, int minor_version) {
  request_.method_ = method_of(method);
  request_.method_text_ = slice(method);
  request_.target_ = slice(target);
  request_.minor_version_ = static_cast<uint8_t>(minor_version);
}

bool RequestBuilder::field(std::string_view name, std::string_view value) {
  if (request_.fields_.size() == kHeaderLinesMax) return false;
  request_.fields_.push_back({slice(name), slice(value)});
  return true;
}

size_t RequestBuilder::count(std::string_view name) const {
  size_t result = 0;
  for (const Request::Field& field : request_.fields_) {
    if (field.name.length == name.size() && iequals(request_.text(field.name), name)) ++result;
  }
  return result;
}

bool RequestBuilder::split_target() {
  const std::string_view target = request_.target();
  // A fragment never belongs on the wire (RFC 9112, section 3.2); some peer on the way may cut there and sign less.
  if (target.find('#') != std::string_view::npos) return false;
  if (target == "*") {
    request_.path_ = request_.target_;
    return request_.method_ == Method::kOptions;
  }
  std::string_view rest = target;
  if (target.front() != '/') {
    const size_t prefix = absolute_prefix(target);
    if (prefix == 0) return false;
    rest.remove_prefix(prefix);
  }
  const size_t mark = rest.find('?');
  request_.path_ = slice(rest.substr(0, mark));
  if (mark != std::string_view::npos) request_.query_ = slice(rest.substr(mark + 1));
  return true;
}

bool RequestBuilder::host_valid() const {
  const size_t hosts = count("host");
  if (hosts > 1 || (hosts == 0 && request_.minor_version_ >= 1)) return false;
  return request_.header("host").find_first_of(" \t,/?#@\\") == std::string_view::npos;
}

bool RequestBuilder::framing_valid() const {
  const size_t lengths = count("content-length");
  const size_t encodings = count("transfer-encoding");
  if (lengths > 1 || encodings > 1) return false;
  if (lengths == 1 && !all_digits(request_.header("content-length"))) return false;
  if (encodings == 0) return true;
  return lengths == 0 && request_.minor_version_ >= 1 && iequals(request_.header("transfer-encoding"), "chunked");
}

void RequestBuilder::join_repeated() {
  const size_t lines = request_.fields_.size();
  for (size_t i = 0; i < lines; ++i) {
    const Request::Slice name = request_.fields_[i].name;
    // Nearly all pairs of names differ in their length already.
    const auto same = [&](size_t k) {
      const Request::Slice other = request_.fields_[k].name;
      return other.length == name.length && iequals(request_.text(other), request_.text(name));
    };
    size_t second = i + 1;
    while (second < lines && !same(second)) ++second;
    if (second == lines) continue;
    const auto known = [&](const Request::Field& field) {
      return iequals(request_.text(field.name), request_.text(name));
    };
    if (std::ranges::any_of(request_.joined_, known)) continue;
    // Cookie pairs are joined by "; " wherever lines of them are put together (RFC 9113, section 8.2.3).
    const std::string_view separator = iequals(request_.text(name), "cookie") ? "; " : ", ";
    std::string joined(request_.header_at(i).value);
    for (size_t k = second; k < lines; ++k) {
      if (same(k)) joined.append(separator).append(request_.header_at(k).value);
    }
    const Request::Slice value{static_cast<uint32_t>(storage().size()), static_cast<uint32_t>(joined.size())};
    storage().append(joined);
    request_.joined_.push_back({name, value});
  }
}

Reason RequestBuilder::finish_header() {
  if (!split_target() || !host_valid() || !framing_valid()) return Reason::kHttpMalformed;
  join_repeated();
  const std::string_view connection = request_.header("connection");
  const bool close = list_has(connection, "close");
  request_.keep_alive_ = !close && (request_.minor_version_ >= 1 || list_has(connection, "keep-alive"));
  request_.upgrade_ =
      request_.minor_version_ >= 1 && list_has(connection, "upgrade") && !request_.header("upgrade").empty();
  body_offset_ = storage().size();
  return Reason::kNone;
}

bool RequestBuilder::expects_continue() const {
  return request_.minor_version_ >= 1 && iequals(request_.header("expect"), "100-continue");
}

void RequestBuilder::reserve_body(size_t length) {
  storage().reserve(body_offset_ + std::min(length, kBodyReserveMax) + kBodyPadding);
}

void RequestBuilder::finish_body() {
  request_.body_ = {static_cast<uint32_t>(body_offset_), static_cast<uint32_t>(storage().size() - body_offset_)};
  storage().append(kBodyPadding, '\0');
}

}  // namespace kilat::http
