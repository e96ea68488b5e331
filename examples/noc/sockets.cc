#include "noc/sockets.h"

#include <string>
#include <utility>

namespace examples::noc {
namespace io = kilat::io;
namespace json = boost::json;
namespace {

json::object refused(std::string_view why) {
  return {{"ok", false}, {"error", why}};
}

json::object whoami(Accounts& accounts, const std::string& user_id) {
  const std::optional<User> user = user_id.empty() ? std::nullopt : accounts.find(user_id);
  if (!user) return {{"ok", true}, {"user", nullptr}, {"rooms", {"devices", "stats"}}};
  json::array rooms{"devices", "stats"};
  if (is_staff(*user)) {
    for (const char* room : {"alerts", "logs", "payments", "bandwidth", "customer.{id}"}) rooms.emplace_back(room);
  } else {
    rooms.emplace_back("customer." + user->id);
  }
  return {{"ok", true}, {"user", to_json(*user)}, {"rooms", std::move(rooms)}};
}

/// Answers ({ok, interface, samples}, bytes); see Bandwidth::packed.
void send_history(Centre& centre, const std::string& user_id, const std::string& interface, const io::Ack& ack) {
  const std::optional<User> user = user_id.empty() ? std::nullopt : centre.accounts.find(user_id);
  if (!user || !is_staff(*user)) {
    ack(refused("this is for the staff"));
  } else if (!centre.bandwidth.has(interface)) {
    ack(refused("there is no such interface"));
  } else {
    const std::size_t samples = centre.bandwidth.samples(interface).size();
    const json::object head{{"ok", true}, {"interface", interface}, {"samples", samples}};
    ack(head, io::Bytes{centre.bandwidth.packed(interface)});
  }
}

}  // namespace

void add_socket_handlers(kilat::Server& server, Worker& worker, Centre*& centre) {
  io::Namespace io = server.io();
  io.on("whoami", [&worker, &centre](const io::Socket& socket, const io::Ack& ack) {
    worker.post([&centre, user = socket.user_id(), ack] { ack(whoami(centre->accounts, user)); });
  });
  io.on("bandwidth:history", [&worker, &centre](const io::Socket& socket, const io::Args& args, const io::Ack& ack) {
    if (!args[0].is_string()) {
      ack(refused("the name of an interface is missing"));
      return;
    }
    const bool taken = worker.post([&centre, user = socket.user_id(), name = args.get<std::string>(0), ack] {
      send_history(*centre, user, name, ack);
    });
    if (!taken) ack(refused("too much to do; try again"));
  });
  io.on_connection([&worker, &centre](const io::Socket& socket) {
    const std::string who = socket.user_id().empty() ? "a viewer" : socket.user_id();
    const bool back = socket.recovered();
    worker.post([&centre, who, back] { centre->log.add(Level::kInfo, who, back ? "is back" : "connected"); });
    socket.on_disconnect([&worker, &centre, who](std::string_view reason) {
      worker.post([&centre, who, text = "left: " + std::string(reason)] { centre->log.add(Level::kInfo, who, text); });
    });
  });
}

}  // namespace examples::noc
