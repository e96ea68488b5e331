// Events that belong to a change in the database: written down in the same transaction, published after it, and crossed
// off later. So a crash at any moment loses no event; one may come twice, which pages notice by its `updated_at` or
// `id`. Belongs to the thread of the database. Bound: what was not published yet, which is little while the server
// runs.
#pragma once

#include <kilat/message.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "common/database.h"

namespace examples::booking {

class Outbox {
 public:
  /// Publishes; false: not now.
  using Publish = std::function<bool(const std::string& channel, const std::string& event, const boost::json::value&)>;

  explicit Outbox(Database& database);
  /// Inside of the transaction that makes the change.
  void add(std::string_view channel, std::string_view event, const boost::json::object& data);
  /// After the commit: publishes what was not, in order.
  void flush(const Publish& publish);
  /// Crosses off what was published before the last call. Every other second: by then the server has stored it.
  void forget();

 private:
  Database& database_;
  std::int64_t published_ = 0;  ///< events up to this one were handed over; a new process begins anew
  std::int64_t settled_ = 0;    ///< and those up to this one before the last forget()
};

}  // namespace examples::booking
