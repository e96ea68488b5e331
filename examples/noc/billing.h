// Customers, their invoices, and the payments of these: rows of the database. A job issues invoices and collects by
// direct debit; people pay by POST /api/customers/:id/payments. Belongs to the worker. Bounds: the last kPaymentsMax
// payments and their invoices are kept, a customer has kOpenMax open invoices at most.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "common/database.h"

namespace examples::noc {

/// An invoice that was issued or paid, as pages get it.
struct Payment {
  boost::json::object json;
  std::string customer;
};

class Billing {
 public:
  static constexpr int kPaymentsMax = 500;
  static constexpr int kOpenMax = 4;
  enum class Refused { kUnknownInvoice, kPaid };

  /// Makes the tables, and at the first start three customers with open invoices.
  explicit Billing(Database& database);

  /// One step of the job: issues an invoice, or collects the oldest of a customer who has too many. Nothing to do:
  /// nothing.
  std::optional<Payment> step();
  /// Pays an open invoice in full. `method`: "direct debit", "card", …
  std::expected<Payment, Refused> pay(std::string_view customer, std::int64_t invoice, std::string_view method);

  bool is_customer(std::string_view id);
  /// With what each owes; `id`: only that one, unless empty.
  boost::json::array customers(std::string_view id = {});
  /// The newest first; both issued and paid.
  boost::json::array payments(int limit, std::string_view customer = {});

 private:
  Payment issue(std::string_view customer);
  std::optional<Payment> find(std::int64_t invoice);
  Database& database_;
  std::int64_t steps_ = 0;
};

}  // namespace examples::noc
