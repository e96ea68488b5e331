// The HTTP routes of this system. A handler checks the token on the shard, then works on the worker. Every refusal is
// {"error": "…"} with its status: 400 bad input, 401 no or bad token, 403 not allowed, 404, 409, 429 too many
// logins at a time, 503 too much waits.
#pragma once

#include <kilat/server.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "common/tokens.h"
#include "common/worker.h"
#include "noc/centre.h"

namespace examples::noc {

class Api {
 public:
  /// Logins that wait for the worker; each takes it some tens of milliseconds.
  static constexpr std::uint32_t kLoginsMax = 8;

  /// `centre` is made on the worker before the server starts.
  Api(kilat::Server& server, Worker& worker, const Tokens& tokens, Centre*& centre)
      : server_(server), worker_(worker), tokens_(tokens), centre_(centre) {}

  /// Before the server starts.
  void add_routes();

 private:
  using Request = kilat::web::Request;
  using Response = kilat::web::Response;
  enum class Access { kEverybody, kSignedIn, kStaff };
  /// `user`: who asks; for kEverybody perhaps nobody. On the worker.
  using Handler = std::function<Response(const Request& request, const std::optional<User>& user)>;
  void route(std::string_view method, std::string_view path, Access access, Handler handler);

  void add_session_routes();
  void add_device_routes();
  void add_demo_route();
  void add_alert_routes();
  void add_billing_routes();
  void add_figure_routes();
  void add_status_route();

  Response log_in(const Request& request);
  Response add_device(const Request& request, const User& user);
  Response pay(const Request& request, const User& user);

  kilat::Server& server_;
  Worker& worker_;
  const Tokens& tokens_;
  Centre*& centre_;
  std::atomic<std::uint32_t> logins_ = 0;
};

}  // namespace examples::noc
