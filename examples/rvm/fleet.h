// The machines: what they hold, what became of them and by whom, in SQLite. Its methods throw DatabaseError.
// Belongs to the thread of the database (a Worker). Those that write expect an open Transaction of the caller.
// Bounds: kCapacity units in a machine; the audit and the hours of deposits keep kKeepDays.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/database.h"
#include "rvm/status.h"

namespace examples::rvm {
namespace json = boost::json;

/// Milliseconds since 1970.
using Time = std::int64_t;

/// How much room a machine has. A crushed can takes one unit, a PET bottle three, a glass bottle four.
inline constexpr std::int64_t kCapacity = 600;
inline constexpr int kKeepDays = 30;

/// Index of a material, or nothing: "pet", "cans", "glass".
std::optional<std::size_t> material_of(std::string_view name);

struct Machine {
  std::int64_t id;
  std::string name;
  std::string place;
  Status status;
  std::int64_t used;  ///< units
  Time changed;       ///< when the status did
  std::string changed_by;
};

/// A row of the audit.
struct Change {
  std::int64_t id;
  std::int64_t rvm_id;
  std::string rvm_name;
  std::string place;
  Status from;
  Status to;
  std::string by;
  Time time;
  std::int64_t fill_level;  ///< percent
};

/// Why something was not done, as an HTTP status and a sentence.
struct Refused {
  int status;
  std::string error;
};
template <typename Value>
using Outcome = std::expected<Value, Refused>;

class Fleet {
 public:
  /// Makes the tables where they are not there.
  explicit Fleet(Database& database);

  bool empty();
  void add(std::string_view name, std::string_view place, Time time);
  std::vector<Machine> machines();
  std::optional<Machine> find(std::int64_t id);

  /// Changes a status and writes the audit. 404; 409 when it has that status already, when `expected` is another than
  /// it has, or when a machine that is full to the brim should become active without a visit. Full or in maintenance to
  /// active is such a visit: it empties the machine. One that is set full counts as filled to the brim.
  Outcome<Change> set_status(std::int64_t id, Status to, std::optional<Status> expected, std::string_view by,
                             Time time);

  /// Takes up to `count` items, as many as fit. What did not fit makes the machine full: then there is a Change. 404;
  /// 409 when it is not active.
  struct Deposit {
    std::int64_t taken = 0;
    std::optional<Change> change;
  };
  Outcome<Deposit> deposit(std::int64_t id, std::size_t material, std::int64_t count, Time time);
  /// Machines that work say so.
  void seen(Time time);
  void forget_old(Time time);

  /// What everybody may see: {machines: […], last_change}.
  json::object public_view();
  /// What staff sees, and `dashboard.data.updated` carries: totals, statuses, hours, machines.
  json::object dashboard(Time time);
  /// The audit, the newest first, as `rvm.status.updated` carries it.
  json::array history(int limit);

 private:
  std::int64_t last_change();
  json::object totals(Time time);
  Database& database_;
};

/// `rvm.status.updated` for everybody, and with the name of who did it for staff.
json::object public_event(const Change& change);
json::object staff_event(const Change& change);

}  // namespace examples::rvm
