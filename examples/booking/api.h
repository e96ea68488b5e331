// The HTTP routes of the bookings: who is asking (401, 403), how often (429), what (400, 422), then the store does it
// on its worker, and what has changed is published before the answer goes out. Shards only check tokens and hand over.
// Owner: the system; everything but add_routes() runs on the two workers. Bound: Worker::kTasksMax requests wait, more
// are answered 503.
#pragma once

#include <kilat/server.h>

#include <functional>
#include <string>

#include "booking/rate_limit.h"
#include "booking/store.h"
#include "common/accounts.h"
#include "common/tokens.h"
#include "common/worker.h"

namespace examples::booking {

/// What the routes work with.
struct ApiParts {
  Store& store;
  Outbox& outbox;
  const Outbox::Publish& publish;
  Worker& worker;      ///< of store and outbox
  Accounts& accounts;  ///< with a database connection of its own
  Worker&
      doorman;  ///< of the accounts: checking a password takes tens of milliseconds, and bookings do not wait for it
  const Tokens& tokens;
};

class Api {
 public:
  explicit Api(ApiParts parts) : parts_(parts) {}
  void add_routes(kilat::web::Routes& routes);

 private:
  enum class Who { kAnybody, kUser, kAdmin };
  struct Call {
    const kilat::web::Request& request;
    const User& user;  ///< without an id for anybody
  };
  using Action = std::function<kilat::web::Response(const Call&)>;

  void route(kilat::web::Routes& routes, const char* method, const char* path, Who who, Action action);
  void add_session_routes(kilat::web::Routes& routes);
  void add_booking_routes(kilat::web::Routes& routes);
  void log_in(const kilat::web::Request& request, const kilat::web::Responder& respond);
  kilat::web::Response run(const Action& action, const Call& call);

  ApiParts parts_;
  RateLimit changes_{20, 1};  ///< of each user
  RateLimit logins_{40, 2};   ///< of each address
};

}  // namespace examples::booking
