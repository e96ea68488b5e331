// A chat in rooms: a page, a server, and nothing between them. Run it as `chat [PORT] [HOST]`, and open its address in
// two windows. Who is there lives in the sockets' rooms, so the program keeps no state of its own.
#include <kilat/kilat.h>

#include <cstdlib>
#include <string>

namespace io = kilat::io;
namespace json = kilat::json;

namespace {

struct Person {
  std::string name;
  std::string room;
};

Person& person_of(const io::Socket& socket) {
  return std::any_cast<Person&>(socket.data());
}

json::object message(const std::string& from, const std::string& text) {
  return {{"from", from}, {"text", text}};
}

// A room is private, so that no client can join it without being asked in.
std::string channel_of(const std::string& room) {
  return "private-chat-" + room;
}

void change_room(const io::Socket& socket, const std::string& room) {
  Person& person = person_of(socket);
  if (!person.room.empty()) {
    socket.to(channel_of(person.room)).emit("left", person.name);
    socket.leave(channel_of(person.room));
  }
  person.room = room;
  socket.join(channel_of(room));
  socket.to(channel_of(room)).emit("joined", person.name);
}

}  // namespace

int main(int argc, char** argv) {
  kilat::Options options;
  options.port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 3000);
  if (argc > 2) options.host = argv[2];
  kilat::Server server(options);

  server.http().files("/", KILAT_EXAMPLE_FILES);
  server.http().files("/client", KILAT_EXAMPLE_CLIENT);  // socket.io.min.js

  io::Namespace chat = server.io();
  chat.use([](const io::Socket& socket, const io::Next& next) {
    const json::object auth = socket.handshake().auth;
    const json::value* name = auth.if_contains("name");
    if (name == nullptr || !name->is_string() || name->get_string().empty()) return next("Who are you?");
    socket.data() = Person{.name = std::string(name->get_string()), .room = {}};
    next();
  });

  chat.on_connection([chat](const io::Socket& socket) {
    change_room(socket, "lobby");

    socket.on("say", [socket, chat](std::string text, io::Ack ack) {
      const Person& person = person_of(socket);
      ack(chat.to(channel_of(person.room)).emit("said", message(person.name, text)));
    });

    socket.on("room", [socket](std::string room, io::Ack ack) {
      change_room(socket, room);
      ack(room);
    });

    socket.on("typing", [socket] {
      socket.to(channel_of(person_of(socket).room)).volatile_emit().emit("typing", person_of(socket).name);
    });

    socket.on_disconnect([socket](std::string_view) {
      const Person& person = person_of(socket);
      socket.to(channel_of(person.room)).emit("left", person.name);
    });
  });

  return server.run();
}
