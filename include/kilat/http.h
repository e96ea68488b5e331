// HTTP routes and static files of a C++ program, on the port of the server. Its own paths come first: /app/, /apps/,
// /socket.io/, /health. Everything is registered before Server::start() and throws std::logic_error afterwards.
// Handlers run on the shard of the connection and must not block: what takes longer is answered later, through a
// Responder. Bounds: http.header_bytes_max and http.body_bytes_max of the request, kFileBytesMax of a file.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kilat {

namespace embed {
struct RouteTable;
}

namespace web {

inline constexpr std::uint64_t kFileBytesMax = 16 * 1024 * 1024;

/// A request; a copy, so it may be kept.
struct Request {
  std::string method;                         ///< "GET"
  std::string path;                           ///< decoded, without server.path_prefix
  std::map<std::string, std::string> params;  ///< what stands at `:name` in the path of the route
  std::map<std::string, std::string> query;   ///< decoded; of several with one name the first
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string address;  ///< of the client
  bool secure = false;

  /// The first header of this name, compared without case; empty when there is none.
  std::string_view header(std::string_view name) const;
  /// The body as JSON; nothing when it is none.
  std::optional<::boost::json::value> json() const;
};

struct Response {
  int status = 200;
  std::string body = {};
  std::string content_type = "text/plain; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> headers = {};

  static Response text(std::string body, int status = 200) { return {.status = status, .body = std::move(body)}; }
  static Response html(std::string body, int status = 200) {
    return {.status = status, .body = std::move(body), .content_type = "text/html; charset=utf-8"};
  }
  static Response json(const ::boost::json::value& value, int status = 200) {
    return {.status = status, .body = ::boost::json::serialize(value), .content_type = "application/json"};
  }
  static Response redirect(std::string to, int status = 302) {
    return {.status = status, .headers = {{"Location", std::move(to)}}};
  }
};

/// Answers a request, at once or later, from any thread; only the first answer counts. When the last copy goes without
/// one, the client gets a 500.
class Responder {
 public:
  struct State;
  explicit Responder(std::shared_ptr<State> state) : state_(std::move(state)) {}
  void operator()(Response response) const;

 private:
  std::shared_ptr<State> state_;
};

class Routes {
 public:
  /// Answers at once. What it throws is answered with 500 and logged.
  using Handler = std::function<Response(const Request&)>;
  /// Answers when it likes.
  using LaterHandler = std::function<void(const Request&, Responder)>;

  Routes();
  ~Routes();

  /// `path`: "/users/:id"; a last segment "*" takes all that follows. The first route that fits counts. GET answers
  /// HEAD as well. A known path with another method is answered 405.
  Routes& route(std::string_view method, std::string_view path, LaterHandler handler);
  Routes& get(std::string_view path, Handler handler) { return route("GET", path, later(std::move(handler))); }
  Routes& post(std::string_view path, Handler handler) { return route("POST", path, later(std::move(handler))); }
  Routes& put(std::string_view path, Handler handler) { return route("PUT", path, later(std::move(handler))); }
  Routes& del(std::string_view path, Handler handler) { return route("DELETE", path, later(std::move(handler))); }
  Routes& get_later(std::string_view path, LaterHandler handler) { return route("GET", path, std::move(handler)); }
  Routes& post_later(std::string_view path, LaterHandler handler) { return route("POST", path, std::move(handler)); }
  /// Serves the files below a directory under `path`, with index.html for directories; asked after all routes. Names
  /// that begin with a dot, and what symbolic links reach outside of it, are not served. Read for each request, so keep
  /// the directory on a local disk.
  Routes& files(std::string_view path, const std::string& directory);

  /// For the server.
  const std::shared_ptr<embed::RouteTable>& table() const { return table_; }

 private:
  static LaterHandler later(Handler handler) {
    return
        [handler = std::move(handler)](const Request& request, const Responder& respond) { respond(handler(request)); };
  }

  std::shared_ptr<embed::RouteTable> table_;
};

}  // namespace web
}  // namespace kilat
