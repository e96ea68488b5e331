#include "booking/outbox.h"

#include <boost/json.hpp>

namespace examples::booking {
namespace json = boost::json;

Outbox::Outbox(Database& database) : database_(database) {
  // autoincrement: a number is never used again, so published_ stays true when rows go.
  database_.script(
      "create table if not exists outbox (id integer primary key autoincrement, channel text not null,"
      " event text not null, data text not null)");
}

void Outbox::add(std::string_view channel, std::string_view event, const json::object& data) {
  database_.run("insert into outbox (channel, event, data) values (?1, ?2, ?3)", channel, event, json::serialize(data));
}

void Outbox::flush(const Publish& publish) {
  Statement rows = database_.query("select id, channel, event, data from outbox where id > ?1 order by id", published_);
  while (rows.step()) {
    if (!publish(rows.text(1), rows.text(2), json::parse(rows.text(3)))) return;
    published_ = rows.integer(0);
  }
}

void Outbox::forget() {
  if (settled_ > 0) database_.run("delete from outbox where id <= ?1", settled_);
  settled_ = published_;
}

}  // namespace examples::booking
