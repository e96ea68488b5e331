#include "socketio/first_request.h"

namespace kilat::socketio {

FirstRequest::FirstRequest(const http::Request& request) : url_size_(request.target().size()) {
  size_t size = url_size_;
  for (const http::Request::Header header : request.headers()) size += header.name.size() + header.value.size() + 2;
  text_.reserve(size);
  text_ += request.target();
  for (const http::Request::Header header : request.headers()) {
    ((text_ += header.name) += ':') += header.value;
    text_ += '\n';
  }
}

std::string_view FirstRequest::query() const {
  const size_t mark = url().find('?');
  return mark == std::string_view::npos ? std::string_view() : url().substr(mark + 1);
}

std::vector<std::pair<std::string, std::string>> FirstRequest::headers() const {
  std::vector<std::pair<std::string, std::string>> out;
  std::string_view rest = std::string_view(text_).substr(url_size_);
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    const size_t colon = line.find(':');
    out.emplace_back(line.substr(0, colon), line.substr(colon + 1));
    rest.remove_prefix(line.size() + 1);
  }
  return out;
}

}  // namespace kilat::socketio
