#include "noc/billing.h"

#include "common/clock.h"

namespace examples::noc {
namespace json = boost::json;
namespace {

constexpr std::string_view kSelect =
    "select i.id, i.customer, c.name, i.cents, i.status, i.issued_at, i.paid_at, i.method from invoices i"
    " join customers c on c.id = i.customer ";

Payment payment_of(const Statement& row) {
  return {.json = {{"invoice_id", row.integer(0)},
                   {"customer_id", row.text(1)},
                   {"customer", row.text(2)},
                   {"amount_cents", row.integer(3)},
                   {"status", row.text(4)},
                   {"issued_at", row.integer(5)},
                   {"paid_at", row.null(6) ? json::value(nullptr) : json::value(row.integer(6))},
                   {"method", row.null(7) ? json::value(nullptr) : json::value(row.text(7))}},
          .customer = row.text(1)};
}

}  // namespace

Billing::Billing(Database& database) : database_(database) {
  database_.script(
      "create table if not exists customers (id text primary key, name text not null, plan text not null,"
      " cents integer not null);"
      "create table if not exists invoices (id integer primary key autoincrement, customer text not null references"
      " customers (id), cents integer not null, status text not null, issued_at integer not null, paid_at integer,"
      " method text);"
      "create index if not exists invoices_open on invoices (customer, id) where status = 'open'");
  if (!customers().empty()) return;
  Transaction all(database_);
  database_.script(
      "insert into customers values ('acme', 'Acme Logistics', 'Business 500', 18900),"
      " ('harbor', 'Harbor Foods', 'Business 200', 9900), ('lumen', 'Lumen Studio', 'Office 100', 4900)");
  for (const char* id : {"acme", "harbor", "lumen"}) {
    issue(id);
    issue(id);
  }
  all.commit();
}

std::optional<Payment> Billing::step() {
  ++steps_;
  std::string customer;
  std::int64_t invoice = 0;
  std::int64_t open = 0;
  {
    // One after the other, whoever waits longest.
    Statement row = database_.query(
        "select c.id, (select min(id) from invoices where customer = c.id and status = 'open'),"
        " (select count(*) from invoices where customer = c.id and status = 'open') from customers c"
        " order by c.id limit 1 offset ?1 % (select count(*) from customers)",
        steps_);
    if (!row.step()) return std::nullopt;
    customer = row.text(0);
    invoice = row.integer(1);
    open = row.integer(2);
  }
  if (open < kOpenMax) return issue(customer);
  auto paid = pay(customer, invoice, "direct debit");
  if (!paid) return std::nullopt;
  return *std::move(paid);
}

std::expected<Payment, Billing::Refused> Billing::pay(std::string_view customer, std::int64_t invoice,
                                                      std::string_view method) {
  const bool done = database_.run(
                        "update invoices set status = 'paid', paid_at = ?3, method = ?4"
                        " where id = ?1 and customer = ?2 and status = 'open'",
                        invoice, customer, unix_ms(), method) > 0;
  std::optional<Payment> payment = find(invoice);
  if (!payment || payment->customer != customer) return std::unexpected(Refused::kUnknownInvoice);
  if (!done) return std::unexpected(Refused::kPaid);
  return *std::move(payment);
}

bool Billing::is_customer(std::string_view id) {
  return database_.query("select 1 from customers where id = ?1", id).step();
}

json::array Billing::customers(std::string_view id) {
  Statement row = database_.query(
      "select id, name, plan, cents, (select count(*) from invoices where customer = c.id and status = 'open'),"
      " (select coalesce(sum(cents), 0) from invoices where customer = c.id and status = 'open')"
      " from customers c where ?1 = '' or id = ?1 order by name",
      id);
  json::array list;
  while (row.step()) {
    list.emplace_back(json::object{{"id", row.text(0)},
                                   {"name", row.text(1)},
                                   {"plan", row.text(2)},
                                   {"monthly_cents", row.integer(3)},
                                   {"open_invoices", row.integer(4)},
                                   {"owed_cents", row.integer(5)}});
  }
  return list;
}

json::array Billing::payments(int limit, std::string_view customer) {
  Statement row =
      database_.query(std::string(kSelect) +
                          "where ?1 = '' or i.customer = ?1 order by coalesce(i.paid_at, i.issued_at) desc, i.id desc"
                          " limit ?2",
                      customer, limit);
  json::array list;
  while (row.step()) list.emplace_back(payment_of(row).json);
  return list;
}

Payment Billing::issue(std::string_view customer) {
  // What the month has cost beyond the plan differs, so that invoices do.
  database_.run(
      "insert into invoices (customer, cents, status, issued_at)"
      " select id, cents + abs(random() % 40) * 50, 'open', ?2 from customers where id = ?1",
      customer, unix_ms());
  const std::int64_t id = database_.last_id();
  database_.run("delete from invoices where id <= ?1 and status = 'paid'", id - kPaymentsMax);
  return find(id).value();
}

std::optional<Payment> Billing::find(std::int64_t invoice) {
  Statement row = database_.query(std::string(kSelect) + "where i.id = ?1", invoice);
  if (!row.step()) return std::nullopt;
  return payment_of(row);
}

}  // namespace examples::noc
