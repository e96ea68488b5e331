// Moments of quiet: nothing is sent but what it takes to see that everything has arrived; then the audit.
#include <algorithm>
#include <set>

#include "base/json_parser.h"
#include "stress/chaos.h"

namespace kilat::stress {

// A mark is one more event on each channel. Whoever ends with it has all that came before it. Late effects of dropped
// connections may still come behind a mark; then all of it is tried again.
void Chaos::settle() {
  for (const Pause& pause : pauses_) {
    for (const auto& peer : peers_) {
      if (peer->serial() == pause.serial) peer->set_paused(false);
    }
  }
  pauses_.clear();
  for (const auto& peer : peers_) {
    if (peer->live()) peer->ping();
  }
  std::string why;
  for (Patience patience(kPatienceMs); !failed(); turn(5)) {
    if (patience.over()) return complain("no quiet: " + why);
    why = unsettled();
    if (why.empty()) why = api_difference();
    if (!why.empty()) continue;
    for (uint32_t channel = 0; channel < ledger_.channels().size(); ++channel) {
      if (ledger_.channels()[channel].presence) peers_[1]->subscribe_again(channel);
    }
    std::vector<uint32_t> marks(ledger_.channels().size());
    if (!publish_marks(marks)) continue;
    why = wait_for_marks(marks);
    if (why.empty()) break;
  }
  if (failed()) return;
  ledger_.audit();
  check_users();
  parts_sent_ = parts_seen_ = 0;
  ++audits_;
}

// What is still awaited; empty when nothing is.
std::string Chaos::unsettled() {
  for (const auto& publisher : publishers_) {
    if (publisher && publisher->unanswered() > 0) return "a publisher waits for its answers";
  }
  for (const auto& peer : peers_) {
    if (!peer->settled()) {
      return "connection " + std::to_string(peer->serial()) + (peer->leaving() ? " does not end" : " waits for pongs");
    }
  }
  for (uint32_t channel = 0; channel < ledger_.channels().size(); ++channel) {
    if (std::string why = ledger_.straggler(channel, 0); !why.empty()) return why;
  }
  const size_t due = ledger_.client_events_due();
  return due > 0 ? std::to_string(due) + " client events have not reached the witness" : "";
}

// Where the numbers of the HTTP API and the model differ; empty when they agree.
std::string Chaos::api_difference() {
  const std::string connections = call("/connections").body;
  if (connections != R"({"connections":)" + std::to_string(peers_.size()) + "}") {
    return std::to_string(peers_.size()) + " connections are open, the API says " + connections;
  }
  const std::string all = call("/channels", {{"info", "subscription_count"}}).body;
  const std::string presence = call("/channels", {{"filter_by_prefix", "presence-"}, {"info", "user_count"}}).body;
  for (uint32_t channel = 0; channel < ledger_.channels().size(); ++channel) {
    const Channel& row = ledger_.channels()[channel];
    const std::string expected =
        "\"" + row.name + "\":{" +
        (row.presence ? R"("user_count":)" + std::to_string(ledger_.users(channel).size())
                      : R"("subscription_count":)" + std::to_string(ledger_.subscriptions(channel))) +
        "}";
    if (!(row.presence ? presence : all).contains(expected)) {
      return "expected " + expected + ", the API says " + (row.presence ? presence : all);
    }
  }
  return {};
}

bool Chaos::publish_marks(std::vector<uint32_t>& marks) {
  uint32_t taken = 0;
  uint32_t answered = 0;
  HttpClient& client = publisher(0);
  for (uint32_t channel = 0; channel < marks.size(); ++channel) {
    const uint32_t request = ledger_.add_request(true);
    std::string body;
    marks[channel] = new_event(request, 0, {channel}, false, &body);
    client.request("POST", "/events", {}, body, [&, request](int status, std::string_view answer) {
      settle_request(request, 1, status, answer);
      taken += status == 200 ? 1 : 0;
      ++answered;
    });
  }
  for (Patience patience(kPatienceMs); answered < marks.size() && !patience.over();) turn(5);
  if (answered < marks.size()) {
    client.drop();
    complain("a publisher gets no answers");
  }
  return taken == marks.size();
}

std::string Chaos::wait_for_marks(const std::vector<uint32_t>& marks) {
  std::string why;
  for (Patience patience(5'000); !patience.over() && !failed(); turn(5)) {
    why = unsettled();
    for (uint32_t channel = 0; channel < marks.size() && why.empty(); ++channel) {
      why = ledger_.straggler(channel, marks[channel]);
    }
    if (why.empty()) return why;
  }
  return why;
}

void Chaos::check_users() {
  JsonParser parser;
  for (uint32_t channel = 0; channel < ledger_.channels().size(); ++channel) {
    const Channel& row = ledger_.channels()[channel];
    if (!row.presence) continue;
    std::set<std::string> expected;
    for (const auto& [user, connections] : ledger_.users(channel)) expected.insert("u" + std::to_string(user));
    const ApiAnswer answer = call("/channels/" + row.name + "/users");
    std::set<std::string> found;
    const auto root = parser.parse_copy(answer.body);
    simdjson::dom::array users;
    if (root && (*root)["users"].get(users) == simdjson::SUCCESS) {
      for (const simdjson::dom::element user : users) {
        std::string_view id;
        if (user["id"].get(id) == simdjson::SUCCESS) found.emplace(id);
      }
    }
    if (found != expected || users.size() != expected.size()) {
      complain("channel " + row.name + ": expected " + std::to_string(expected.size()) + " users, the API says " +
               answer.body);
    }
  }
}

Chaos::ApiAnswer Chaos::call(std::string_view path, const Parameters& parameters) {
  std::optional<ApiAnswer> out;
  HttpClient& client = publisher(1);
  client.request("GET", path, parameters, {},
                 [&out](int status, std::string_view body) { out = ApiAnswer{status, std::string(body)}; });
  for (Patience patience(kPatienceMs); !out && !patience.over() && !failed();) turn(5);
  if (!out) client.drop();  // it must not answer into a frame that is gone
  return out.value_or(ApiAnswer{});
}

}  // namespace kilat::stress
