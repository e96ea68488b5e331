// A program that knows only what is installed: starts a server, and has the publisher speak to it.
#include <kilat/kilat.h>
#include <kilat/publisher.h>

#include <iostream>

int main() {
  kilat::Server server({.port = 0, .shards = 1});
  server.http().get("/hello", [](const kilat::web::Request&) { return kilat::web::Response::text("hello"); });
  if (const auto started = server.start(); !started) {
    std::cerr << started.error() << '\n';
    return 1;
  }
  const kilat::AppCredentials app = server.app();
  kilat::Publisher publisher({.url = "http://127.0.0.1:" + std::to_string(server.port()),
                              .app_id = app.id,
                              .key = app.key,
                              .secret = app.secret});
  if (const auto sent = publisher.trigger("orders", "paid", {{"id", 17}}); !sent) {
    std::cerr << sent.error().message << '\n';
    return 1;
  }
  // Another one beside it, with ports and apps of its own.
  kilat::Server other({.port = 0, .shards = 1});
  if (const auto started = other.start(); !started || other.port() == server.port()) return 1;
  if (other.app().secret == app.secret) return 1;
  std::cout << "published\n";
  return 0;
}
