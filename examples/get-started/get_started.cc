// The chat of Socket.IO's "Get started" (https://socket.io/get-started/chat), with Kilat below it. The page is the
// same but for where it gets the client from.
#include <kilat/kilat.h>

#include <cstdlib>
#include <iostream>
#include <string>

int main(int argc, char** argv) {
  kilat::Options options;
  options.port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 3000);
  kilat::Server server(options);
  server.http().files("/", KILAT_EXAMPLE_FILES);
  server.http().files("/client", KILAT_EXAMPLE_CLIENT);

  kilat::io::Namespace io = server.io();
  io.on_connection([io](const kilat::io::Socket& socket) {
    std::cout << "a user connected\n";
    socket.on("chat message", [io](std::string msg) { io.emit("chat message", msg); });
    socket.on_disconnect([](std::string_view) { std::cout << "user disconnected\n"; });
  });

  return server.run();
}
