#include "http/uri.h"

#include <algorithm>
#include <utility>

namespace kilat::http {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// How many bytes at the front stand for themselves.
size_t plain_size(std::string_view text, Plus plus) {
  return std::min(plus == Plus::kSpace ? text.find_first_of("%+") : text.find('%'), text.size());
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, Plus plus) {
  const size_t plain = plain_size(text, plus);
  std::string out(text.substr(0, plain));
  for (size_t i = plain; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '+' && plus == Plus::kSpace) {
      out.push_back(' ');
    } else if (c != '%') {
      out.push_back(c);
    } else {
      if (text.size() - i < 3) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  return out;
}

std::string_view Query::decode(std::string_view raw, Plus plus) {
  if (plain_size(raw, plus) == raw.size()) return raw;
  std::optional<std::string> decoded = percent_decode(raw, plus);
  if (decoded) return decoded_.emplace_front(*std::move(decoded));
  malformed_ = true;
  return raw;
}

Query::Query(std::string_view raw, Plus plus) {
  while (!raw.empty()) {
    const size_t end = raw.find('&');
    const std::string_view piece = raw.substr(0, end);
    raw.remove_prefix(end == std::string_view::npos ? raw.size() : end + 1);
    if (piece.empty()) continue;
    if (items_.size() == kQueryItemsMax) {
      too_many_ = true;
      return;
    }
    const size_t equals = piece.find('=');
    const std::string_view value = equals == std::string_view::npos ? std::string_view() : piece.substr(equals + 1);
    items_.push_back({decode(piece.substr(0, equals), plus), decode(value, plus)});
  }
}

std::optional<std::string_view> Query::get(std::string_view name) const {
  for (const Item& item : items_) {
    if (item.name == name) return item.value;
  }
  return std::nullopt;
}

std::string_view PathSegments::operator[](size_t index) const {
  return index < count_ ? segments_[index] : std::string_view();
}

PathSegments split_path(std::string_view path) {
  PathSegments result;
  if (path.starts_with('/')) path.remove_prefix(1);
  if (path.empty()) return result;
  for (;;) {
    if (result.count_ == kPathSegmentsMax) {
      result.too_many_ = true;
      return result;
    }
    const size_t end = path.find('/');
    result.segments_[result.count_++] = path.substr(0, end);
    if (end == std::string_view::npos) return result;
    path.remove_prefix(end + 1);
  }
}

std::string shown_url(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const size_t host = url.find("://") == std::string_view::npos ? 0 : url.find("://") + 3;
  const std::string_view authority = url.substr(host, url.find('/', host) - host);
  const size_t at = authority.rfind('@');
  if (at == std::string_view::npos) return std::string(url);
  return std::string(url.substr(0, host)) + std::string(url.substr(host + at + 1));
}

}  // namespace kilat::http
