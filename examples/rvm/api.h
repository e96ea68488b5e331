// The HTTP routes. Handlers check what they can on the shard (token, role, body), and hand the rest to the workers;
// they answer {"error": "…"} with a status that fits. Outlives the server and both workers' tasks.
#pragma once

#include <kilat/http.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>

#include "common/accounts.h"
#include "common/tokens.h"
#include "common/worker.h"
#include "rvm/announcer.h"
#include "rvm/fleet.h"

namespace examples::rvm {

/// What the routes work with. `gate` is the worker of `accounts`, `worker` that of all the others.
struct Parts {
  Database& database;
  Fleet& fleet;
  Announcer& announcer;
  Accounts& accounts;
  const Tokens& tokens;
  Worker& worker;
  Worker& gate;
  std::chrono::seconds token_lifetime;
};

class Api {
 public:
  explicit Api(Parts parts);
  void mount(kilat::web::Routes& routes);
  /// What GET /api/config tells the page; before the server starts.
  void set_app_key(std::string key) { app_key_ = std::move(key); }

 private:
  using Request = kilat::web::Request;
  using Response = kilat::web::Response;
  using Responder = kilat::web::Responder;
  using Work = std::move_only_function<Response()>;
  using Staff = bool (*)(const User&);

  void run(Worker& worker, const Responder& respond, Work work);
  /// The user of the request when `allowed`; otherwise answers 401 or 403.
  std::optional<User> admit(const Request& request, const Responder& respond, Staff allowed, const char* sorry);

  void login(const Request& request, const Responder& respond);
  Response me(const Request& request) const;
  void dashboard(const Request& request, const Responder& respond);
  void set_status(const Request& request, const Responder& respond);
  void deposit(const Request& request, const Responder& respond);
  void switch_simulation(const Request& request, const Responder& respond);

  Parts parts_;
  std::string app_key_;
  std::string csrf_token_;
  std::atomic<int> logins_ = 0;
};

}  // namespace examples::rvm
