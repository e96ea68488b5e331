// HttpSide: the HTTP routes of a program, on one shard. Owner: ShardSide; the table is shared by all, and does not
// change after the start.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/program.h"
#include "embed/static_files.h"
#include "kilat/http.h"

namespace kilat::embed {

class ShardSide;

struct WebRoute {
  std::string method;
  std::string path;
  std::vector<std::string> segments;  ///< ":name" takes any, a last "*" all that follow
  web::Routes::LaterHandler handler;
};

struct RouteTable {
  std::vector<WebRoute> routes;
  std::vector<StaticFiles> files;
  bool sealed = false;
};

class HttpSide {
 public:
  HttpSide(ShardSide& side, std::shared_ptr<RouteTable> table) : side_(side), table_(std::move(table)) {}

  app::ShardProgram::Taken on_request(const app::ShardProgram::WebRequest& request, http::Response& response);

 private:
  app::ShardProgram::Taken call(const WebRoute& route, web::Request request, api::Ticket ticket,
                                http::Response& response);

  ShardSide& side_;
  std::shared_ptr<RouteTable> table_;
  std::string content_type_;  ///< of the answer that is being written
};

}  // namespace kilat::embed
