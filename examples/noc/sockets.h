// What Socket.IO clients may do beside Kilat's own subscribe and unsubscribe, which go by the rules in kilat.toml: ask
// who the server takes them for, and fetch the history of an interface as bytes.
#pragma once

#include <kilat/server.h>

#include "common/worker.h"
#include "noc/centre.h"

namespace examples::noc {

/// Before the server starts. Handlers run on shards, and hand over to the worker.
void add_socket_handlers(kilat::Server& server, Worker& worker, Centre*& centre);

}  // namespace examples::noc
