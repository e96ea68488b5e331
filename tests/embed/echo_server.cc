// The server that tests/conformance/embed_*.test.mjs drive: one program with everything that kilat/kilat.h offers. Its
// arguments are a kilat.toml and a directory to serve. It ends by SIGTERM, once its standard input is closed.
#include <chrono>
#include <cstdio>
#include <iostream>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "kilat/kilat.h"

namespace {

namespace io = kilat::io;
namespace json = kilat::json;
namespace web = kilat::web;
using std::chrono::milliseconds;

/// What handlers of several shards share.
struct Shared {
  std::mutex mutex;
  std::vector<std::string> log;
  std::optional<io::Socket> kept;
  std::optional<io::Ack> late;

  void note(std::string line) {
    const std::lock_guard lock(mutex);
    log.push_back(std::move(line));
  }
};

void add_basic_events(const io::Socket& socket, Shared& shared) {
  socket.on("echo", [](const io::Args& args, const io::Ack& ack) { ack(args); });
  socket.on("message", [socket](const io::Args& args) { socket.emit("message-back", args); });
  socket.on("add", [](int a, int b, const io::Ack& ack) { ack(a + b); });
  socket.on("bytes", [](io::Bytes bytes, const io::Ack& ack) {
    ack(bytes.data.size(), io::Bytes{std::string(bytes.data.rbegin(), bytes.data.rend())});
  });
  socket.on("whoami", [socket](const io::Ack& ack) {
    const io::Handshake handshake = socket.handshake();
    ack(json::object{{"id", socket.id()}, {"address", handshake.address}, {"auth", handshake.auth}});
  });
  socket.on("count", [socket](const io::Ack& ack) {
    std::any& data = socket.data();
    if (!data.has_value()) data = 0;
    ack(++std::any_cast<int&>(data));
  });
  socket.on("ask-me", [socket](std::string question, const io::Ack& ack) {
    socket.emit("question", question, [ack](const io::Reply& reply) { ack(reply.answered, reply.args[0]); });
  });
  socket.on("ask-in-vain", [socket](const io::Ack& ack) {
    socket.timeout(milliseconds(50)).emit("no such handler", [ack](const io::Reply& reply) { ack(reply.answered); });
  });
  socket.on("ask-and-leave", [socket, &shared] {
    socket.emit("question", "bye?",
                [&shared](const io::Reply& reply) { shared.note(reply ? "answered" : "never answered"); });
    socket.disconnect();
  });
  socket.once("once-me", [](int n, const io::Ack& ack) { ack(n + 1); });
  socket.on("off-me", [socket](const io::Ack& ack) {
    socket.off("off-me");
    ack("once");
  });
}

void add_rooms(const io::Namespace& space, const io::Socket& socket) {
  socket.on("join", [socket](std::string room, const io::Ack& ack) {
    const bool joined = socket.join(room);
    ack(joined, socket.rooms());
  });
  socket.on("leave", [socket](std::string room, const io::Ack& ack) {
    const bool left = socket.leave(room);
    ack(left, socket.rooms());
  });
  socket.on("to", [socket](std::string room, json::value value) { socket.to(room).emit("told", value); });
  socket.on("in", [space](std::string room, json::value value) { space.to(room).emit("told", value); });
  socket.on("to-but", [space](std::string room, std::string but, json::value value) {
    space.to(room).except(but).emit("told", value);
  });
  socket.on("all-but-me", [socket](json::value value) { socket.broadcast().emit("told", value); });
  socket.on("everybody", [space](json::value value) { space.emit("told", value); });
  socket.on("ask-room", [space](std::string room, const io::Ack& ack) {
    space.to(room).timeout(milliseconds(20'000)).emit("question", "all?", [ack](const io::Replies& replies) {
      ack(replies.asked, json::value_from(replies.values));
    });
  });
  socket.on("who", [space](std::string room, const io::Ack& ack) {
    space.to(room).fetch_sockets([ack](const std::vector<io::SocketInfo>& sockets) {
      json::array ids;
      for (const io::SocketInfo& info : sockets) ids.emplace_back(info.id);
      ack(ids);
    });
  });
  socket.on("move", [space](std::string from, std::string to) { space.to(from).sockets_join(to); });
  socket.on("kick", [space](std::string room) { space.to(room).disconnect_sockets(); });
}

void add_trouble(const io::Socket& socket, Shared& shared) {
  socket.on("throw", [] { throw std::runtime_error("on purpose"); });
  socket.on("throw-int", [] { throw 7; });
  socket.on("block", [](int ms, const io::Ack& ack) {
    std::this_thread::sleep_for(milliseconds(ms));
    ack("blocked");
  });
  socket.on("leave-me", [socket](const io::Ack& ack) {
    socket.disconnect();
    ack("nobody hears this");
    socket.emit("nor this");
    socket.on("nor", [] {});
  });
  socket.on("keep-me", [socket, &shared](const io::Ack& ack) {
    const std::lock_guard lock(shared.mutex);
    shared.kept = socket;
    shared.late = ack;
  });
  socket.on("use-kept", [&shared](const io::Ack& ack) {
    const std::lock_guard lock(shared.mutex);
    const io::Socket& kept = *shared.kept;
    ack(kept.connected(), kept.emit("x"), kept.join("y"), kept.disconnect(), (*shared.late)("late"));
  });
  socket.on("from-thread", [socket](const io::Ack& ack) {
    std::thread([socket, ack] {
      socket.join("threads");
      socket.emit("from a thread", 1);
      ack("from a thread");
    }).detach();
  });
  socket.on("log", [&shared](const io::Ack& ack) {
    const std::lock_guard lock(shared.mutex);
    ack(json::value_from(shared.log));
  });
}

void add_sockets(kilat::Server& server, Shared& shared) {
  io::Namespace main = server.io();
  main.on_connection([main, &shared](const io::Socket& socket) {
    shared.note("connected " + socket.id());
    socket.on_disconnect([socket, &shared](std::string_view reason) {
      std::string line = "disconnected " + socket.id() + " " + std::string(reason);
      for (const std::string& room : socket.rooms()) line += " " + room;
      shared.note(line);
    });
    add_basic_events(socket, shared);
    add_rooms(main, socket);
    add_trouble(socket, shared);
  });
  main.on("common", [](const io::Socket& socket, std::string text, const io::Ack& ack) { ack(socket.id(), text); });
}

// The names of the conformance rows S11 to S15: a namespace that wants a token, one that takes its time.
void add_middleware(kilat::Server& server) {
  io::Namespace closed = server.io("/auth");
  closed.use([](const io::Socket& socket, const io::Next& next) {
    const json::object auth = socket.handshake().auth;
    if (auth.contains("throw")) throw std::runtime_error("in middleware");
    if (auth.contains("forget")) return;
    if (auth.contains("data")) return next("unauthorized", json::object{{"code", 42}});
    if (!auth.contains("token")) return next("unauthorized");
    socket.data() = std::string(auth.at("token").as_string());
    socket.join("members");
    next();
  });
  closed.on("token", [](const io::Socket& socket, const io::Ack& ack) {
    ack(std::any_cast<std::string>(socket.data()), socket.rooms());
  });
  server.io("/slow").use([](const io::Socket&, const io::Next& next) {
    std::thread([next] {
      std::this_thread::sleep_for(milliseconds(150));
      next();
    }).detach();
  });
  io::Namespace picky = server.io("/picky");
  picky.built_in_events(false);
  picky.on_connection([](const io::Socket& socket) {
    socket.use([](std::string_view event, const io::Args& args, const io::Next& next) {
      if (event == "forbidden") return next("no");
      if (args[0] == "wait") {
        std::thread([next] { next(); }).detach();
        return;
      }
      next();
    });
    for (const char* name : {"allowed", "forbidden"}) {
      socket.on(name, [](const io::Args& args, const io::Ack& ack) { ack(args[0]); });
    }
  });
}

json::object handshake_json(const io::Handshake& handshake) {
  json::object headers;
  for (const auto& [name, value] : handshake.headers) headers[name] = value;
  return {{"address", handshake.address},
          {"url", handshake.url},
          {"query", json::value_from(handshake.query)},
          {"headers", headers},
          {"x-color", handshake.header("X-COLOR")},
          {"nothing", handshake.header("x-nothing")}};
}

// What middleware sees of the request, what on_connection, and what a handler, on another thread.
void add_handshakes(kilat::Server& server) {
  io::Namespace space = server.io("/handshake");
  space.use([](const io::Socket& socket, const io::Next& next) {
    if (socket.handshake().header("x-color").empty()) return next("no color");
    socket.data() = handshake_json(socket.handshake());
    next();
  });
  space.on_connection([](const io::Socket& socket) {
    socket.emit("came", std::any_cast<json::object>(socket.data()), handshake_json(socket.handshake()),
                socket.recovered());
  });
  space.on("handshake", [](const io::Socket& socket, const io::Ack& ack) {
    std::thread([socket, ack] { ack(handshake_json(socket.handshake())); }).detach();
  });
}

void add_http(kilat::Server& server, const std::string& directory) {
  web::Routes& http = server.http();
  http.get("/hello/:name", [](const web::Request& request) {
    return web::Response::json({{"hello", request.params.at("name")}, {"query", json::value_from(request.query)}});
  });
  http.post("/sum", [](const web::Request& request) {
    const auto body = request.json();
    if (!body) return web::Response::text("no JSON\n", 400);
    int sum = 0;
    for (const json::value& value : body->as_array()) sum += static_cast<int>(value.as_int64());
    return web::Response::json({{"sum", sum}, {"agent", request.header("user-agent")}});
  });
  http.get_later("/later", [](const web::Request&, const web::Responder& respond) {
    std::thread([respond] { respond(web::Response::text("later\n")); }).detach();
  });
  http.get_later("/never", [](const web::Request&, const web::Responder&) {});
  http.get("/throws", [](const web::Request&) -> web::Response { throw std::runtime_error("in a route"); });
  http.get("/rest/*", [](const web::Request& request) { return web::Response::text(request.params.at("*")); });
  http.get("/split", [](const web::Request&) {
    return web::Response{.status = 200, .body = "x", .headers = {{"X-Evil", "a\r\nSet-Cookie: b"}}};
  });
  http.get("/publish", [&server](const web::Request& request) {
    const bool done = server.publish("app-id", request.query.at("channel"), "news", json::object{{"n", 1}});
    return web::Response::json({{"done", done}});
  });
  if (!directory.empty()) http.files("/", directory);
}

void add_users(kilat::Server& server) {
  io::Namespace main = server.io();
  main.on("to-user", [&server](const io::Socket&, std::string user, json::value data, const io::Ack& ack) {
    ack(server.publish_to_user("app-id", user, "personal", data));
  });
  main.on("count-user", [&server](const io::Socket&, std::string user, const io::Ack& ack) {
    if (!server.count_user("app-id", user, [ack](std::size_t count) { ack(count); })) ack(false);
  });
  // From a thread that is none of the server's.
  main.on("disconnect-user", [&server](const io::Socket&, std::string user, const io::Ack& ack) {
    std::thread([&server, user, ack] { ack(server.disconnect_user("app-id", user)); }).detach();
  });
}

void add_pusher(kilat::Server& server, Shared& shared) {
  server.pusher().on_subscribe([&shared](const kilat::Subscription& subscription) {
    if (subscription.channel == "throwing") throw std::runtime_error("in on_subscribe");
    shared.note("subscribe " + std::string(subscription.channel) + " " + std::string(subscription.user_id));
    if (subscription.channel == "of-anna") return subscription.connection.user_id == "anna";
    return !subscription.channel.starts_with("forbidden");
  });
  server.pusher().on_unsubscribe([&shared](const kilat::Subscription& subscription) {
    shared.note("unsubscribe " + std::string(subscription.channel));
  });
  server.pusher().on_client_event([](const kilat::ClientEvent& event) {
    return event.event != "client-forbidden" && (event.event != "client-of-anna" || event.connection.user_id == "anna");
  });
  server.pusher().on_connection([&shared](const kilat::PusherConnection& connection) {
    shared.note("pusher " + std::string(connection.socket_id));
  });
  server.pusher().on_disconnect([&shared](const kilat::PusherConnection& connection) {
    shared.note("pusher gone " + std::string(connection.socket_id));
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  Shared shared;
  kilat::Server server(kilat::Options::from_file(argv[1]));
  add_sockets(server, shared);
  add_middleware(server);
  add_handshakes(server);
  add_users(server);
  add_http(server, argc > 2 ? argv[2] : "");
  add_pusher(server, shared);
  const kilat::TimerHandle ticks = server.every(milliseconds(20), [&server] { server.io().to("ticks").emit("tick"); });
  server.after(milliseconds(1), [&shared] { shared.note("after"); });
  server.io().on("stop-ticks", [ticks](const io::Socket&, const io::Ack& ack) {
    ticks.cancel();
    ack();
  });
  server.io().on("post", [&server](const io::Socket&, const io::Ack& ack) { server.post([ack] { ack("posted"); }); });
  server.after(milliseconds(1), [&server] {
    std::fprintf(stderr, "{\"event\":\"ready\",\"port\":%d,\"listen\":\"\"}\n", server.port());
  });
  // Lines on standard input are published from a thread that is none of the server's.
  std::thread reader([&server, &shared] {
    for (std::string line; std::getline(std::cin, line);) {
      if (line == "register") {
        try {
          server.io().use([](const io::Socket&, const io::Next&) {});
        } catch (const std::logic_error& error) {
          shared.note(error.what());
        }
        continue;
      }
      server.publish("app-id", "outside", "line", json::value(line));
      server.io().emit("line", line);
    }
  });
  const int status = server.run();
  reader.join();
  return status;
}
