#include "auth/backend_desk.h"

#include <algorithm>

#include "base/json_parser.h"
#include "base/member_data.h"

namespace kilat::auth {
namespace {

namespace dom = simdjson::dom;

void append_field(std::string& form, std::string_view name, std::string_view value) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  if (!form.empty()) form += '&';
  form += name;
  form += '=';
  for (const char c : value) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    if (plain) {
      form += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    form += {'%', kHex[byte >> 4], kHex[byte & 15]};
  }
}

// RFC 9110 section 5.5: what stands in a value is text. The client says what it likes.
bool sendable(const BackendQuestion& question) {
  size_t bytes = 0;
  for (const auto& [name, value] : question.headers) {
    bytes += name.size() + value.size();
    const bool text = std::ranges::all_of(value, [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return (byte >= 0x20 && byte != 0x7f) || c == '\t';
    });
    if (!text) return false;
  }
  return bytes <= BackendDesk::kHeaderBytesMax;
}

// Whether a status says that the backend is in trouble. What one client can bring about by itself does not: a login
// page, an expired form (419), a header that is too long. Else it could have the backend left alone for all.
bool is_outage(long status) {
  return status == 0 || status == 408 || status == 429 || status >= 500;
}

}  // namespace

BackendDesk::BackendDesk(BackendTransport& transport)
    : transport_(transport), parser_(std::make_unique<JsonParser>()) {}

BackendDesk::~BackendDesk() = default;

// The same client with the same headers gets the same answer; the socket's id is new each time and does not count.
std::string BackendDesk::key_of(uint32_t app, const BackendQuestion& question) {
  std::string key = std::to_string(app);
  for (const std::string& part : {question.channel, question.user_id}) (key += '\n') += part;
  for (const auto& [name, value] : question.headers) (((key += '\n') += name) += ':') += value;
  return hash_.hex(key);
}

void BackendDesk::configure(uint32_t app, const BackendSettings& settings) {
  if (app >= apps_.size()) apps_.resize(app + 1);
  if (apps_[app].settings == settings) return;
  apps_[app] = {settings, 0, 0, false};
  kept_.clear();
}

void BackendDesk::ask(uint32_t index, const BackendQuestion& question, Done done) {
  App& app = apps_[index];
  if (app.settings.url.empty()) return done({.refused = Reason::kRuleRefused, .user_id = {}, .user_info = {}});
  if (!sendable(question)) return done({.refused = Reason::kBackendRefused, .user_id = {}, .user_info = {}});
  std::string key = key_of(index, question);
  if (const auto kept = kept_.find(key); kept != kept_.end()) {
    if (now_ms_ < kept->second.until_ms) return done(kept->second.answer);
    kept_.erase(kept);
  }
  if (const auto asked = asked_.find(key); asked != asked_.end()) {
    return waiting_[asked->second].done.push_back(std::move(done));
  }
  const BackendAnswer unavailable{.refused = Reason::kBackendUnavailable, .user_id = {}, .user_info = {}};
  const bool open = app.open_until_ms != 0;
  if ((open && (app.probing || now_ms_ < app.open_until_ms)) || waiting_.size() >= kWaitingMax)
    return done(unavailable);
  BackendTransport::Request request{.id = ++last_id_,
                                    .url = app.settings.url,
                                    .form = {},
                                    .headers = question.headers,
                                    .timeout_ms = app.settings.timeout_ms};
  append_field(request.form, "channel_name", question.channel);
  append_field(request.form, "socket_id", question.socket_id);
  if (!question.user_id.empty()) append_field(request.form, "user_id", question.user_id);
  if (!transport_.send(std::move(request))) return done(unavailable);
  app.probing = open;
  Waiting& waiting = waiting_[last_id_];
  waiting.app = index;
  waiting.presence = question.channel.starts_with("presence-");
  waiting.key = key;
  waiting.done.push_back(std::move(done));
  asked_.emplace(std::move(key), last_id_);
}

void BackendDesk::on_answer(uint64_t id, long status, std::string_view body) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return;
  Waiting waiting = std::move(found->second);
  waiting_.erase(found);
  asked_.erase(waiting.key);
  const BackendAnswer answer = read(waiting, status, body);
  note(waiting.app, status, body);
  if (answer.refused != Reason::kBackendUnavailable) keep(waiting, answer);
  for (Done& done : waiting.done) done(answer);
}

// Laravel says 200 with true, with {"auth":…}, or with the member as channel_data, an object or the text of one; 403,
// or 401 for a client that it does not know. Everything else, a redirection to a login page too, is no decision.
BackendAnswer BackendDesk::read(const Waiting& waiting, long status, std::string_view body) {
  BackendAnswer answer;
  if (status == 401 || status == 403 || status == 404) {
    answer.refused = Reason::kBackendRefused;
    return answer;
  }
  answer.refused = Reason::kBackendUnavailable;
  if (status != 200) return answer;
  const std::optional<dom::element> root = parser_->parse_copy(body);
  bool yes = false;
  if (!root || (root->get(yes) == simdjson::SUCCESS && !yes)) {
    if (root) answer.refused = Reason::kBackendRefused;
    return answer;
  }
  answer.refused = Reason::kNone;
  dom::object object;
  if (!waiting.presence || root->get(object) != simdjson::SUCCESS) return answer;
  std::string member;
  if (const auto text = string_member(object, "channel_data")) {
    member = *text;
  } else if (dom::element data; object["channel_data"].get(data) == simdjson::SUCCESS) {
    member = simdjson::to_string(data);
  } else {
    return answer;
  }
  std::optional<MemberData> parsed = parse_member(*parser_, member, MemberKind::kPresence);
  if (!parsed) {
    answer.refused = Reason::kPresenceDataInvalid;
    return answer;
  }
  answer.user_id = std::move(parsed->user_id);
  answer.user_info = std::move(parsed->user_info);
  return answer;
}

void BackendDesk::note(uint32_t index, long status, std::string_view why) {
  App& app = apps_[index];
  app.probing = false;
  const bool was_open = app.open_until_ms != 0;
  if (!is_outage(status)) {
    app.failures = 0;
    app.open_until_ms = 0;
    if (was_open) transport_.on_circuit(index, false, status, {});
  } else if (++app.failures >= kFailuresMax || was_open) {
    app.open_until_ms = now_ms_ + kOpenMs;
    if (!was_open) transport_.on_circuit(index, true, status, status == 0 ? why : std::string_view());
  }
}

void BackendDesk::keep(const Waiting& waiting, const BackendAnswer& answer) {
  uint32_t seconds = apps_[waiting.app].settings.cache_s;
  if (answer.refused != Reason::kNone) seconds = std::min(seconds, kRefusalKeptS);
  if (seconds == 0 || answer.user_info.size() > kKeptInfoMax) return;
  if (kept_.size() >= kKeptMax) {
    std::erase_if(kept_, [&](const auto& entry) { return entry.second.until_ms <= now_ms_; });
    if (kept_.size() >= kKeptMax) kept_.erase(kept_.begin());
  }
  kept_[waiting.key] = {answer, now_ms_ + uint64_t{seconds} * 1000};
}

}  // namespace kilat::auth
