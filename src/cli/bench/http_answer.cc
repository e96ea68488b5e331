#include "cli/bench/http_answer.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/json.hpp>

namespace kilat::cli::bench {
namespace {

namespace beast_http = boost::beast::http;

constexpr uint32_t kHeaderBytesMax = 16 * 1024;
constexpr uint64_t kBodyBytesMax = 64 * 1024;

std::string_view std_view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

struct HttpAnswer::State {
  State() {
    parser.eager(true);
    parser.header_limit(kHeaderBytesMax);
    parser.body_limit(kBodyBytesMax);
  }
  beast_http::response_parser<beast_http::string_body> parser;
  std::string unread;  // Beast takes header lines whole: the start of one that is not
};

HttpAnswer::HttpAnswer() : state_(std::make_unique<State>()) {}
HttpAnswer::~HttpAnswer() = default;
HttpAnswer::HttpAnswer(HttpAnswer&&) noexcept = default;
HttpAnswer& HttpAnswer::operator=(HttpAnswer&&) noexcept = default;

bool HttpAnswer::feed(std::span<char>& in) {
  std::string& unread = state_->unread;
  const size_t before = unread.size();
  // Only a beginning that was cut is copied; usually an answer comes whole.
  if (before > 0) unread.append(in.data(), in.size());
  std::string_view bytes = before > 0 ? std::string_view(unread) : std::string_view(in.data(), in.size());
  size_t taken = 0;
  while (taken < bytes.size() && !complete()) {
    boost::beast::error_code code;
    const size_t step = state_->parser.put(boost::asio::buffer(bytes.data() + taken, bytes.size() - taken), code);
    taken += step;
    if (code == beast_http::error::need_more) break;
    if (code) return false;
    if (step == 0) break;
  }
  if (complete()) {
    in = in.subspan(taken > before ? taken - before : 0);
    unread.clear();
    return true;
  }
  unread = std::string(bytes.substr(taken));
  in = in.last(0);
  return unread.size() <= kHeaderBytesMax;
}

bool HttpAnswer::complete() const {
  return state_->parser.is_done();
}

int HttpAnswer::status() const {
  return static_cast<int>(state_->parser.get().result_int());
}

bool HttpAnswer::keep_alive() const {
  return state_->parser.get().keep_alive();
}

std::string_view HttpAnswer::header(std::string_view name) const {
  return std_view(state_->parser.get()[boost::beast::string_view(name.data(), name.size())]);
}

const std::string& HttpAnswer::body() const {
  return state_->parser.get().body();
}

Complaint HttpAnswer::complaint() const {
  const std::string& text = body();
  boost::system::error_code code;
  const auto parsed = boost::json::parse(text, code);
  const auto* object = code ? nullptr : parsed.if_object();
  const auto* error = object == nullptr ? nullptr : object->if_contains("error");
  if (error != nullptr && error->is_string()) return {status(), std::string(error->get_string())};
  std::string line = text.substr(0, text.find('\n'));
  if (line.empty()) line = std_view(state_->parser.get().reason());
  return {status(), line};
}

}  // namespace kilat::cli::bench
