#include "embed/shard_side.h"

#include <exception>
#include <string>

#include "base/clock.h"
#include "base/log.h"

namespace kilat::embed {
namespace {

constexpr uint64_t kSlowUs = 100'000;
constexpr uint64_t kNameEveryUs = 10'000'000;

thread_local ShardSide* current_side = nullptr;

}  // namespace

ShardSide::ShardSide(app::Shard& shard, std::shared_ptr<io::detail::Link> link, std::shared_ptr<PusherTable> pusher,
                     std::shared_ptr<RouteTable> routes)
    : shard_(shard),
      link_(std::move(link)),
      sockets_(*this),
      pusher_(*this, std::move(pusher)),
      http_(*this, std::move(routes)) {
  link_->attach(*this, shard.index());
}

ShardSide::~ShardSide() {
  link_->detach(shard_.index());
}

ShardSide* ShardSide::current() {
  return current_side;
}

bool ShardSide::enqueue(Task task) {
  return shard_.post(std::move(task));
}

void ShardSide::later(Task task) {
  later_.push_back(std::move(task));
  if (later_.size() == 1) enqueue([this] { run_later(); });
}

void ShardSide::run_later() {
  for (Task& task : std::exchange(later_, {})) task();
}

void ShardSide::begin(RepeatingPtr timer) {
  timer->side = this;
  shard_.wheel().schedule(*timer, monotonic_ms() + timer->first_ms);
  timers_.push_back(std::move(timer));
}

void ShardSide::end(Repeating& timer) {
  std::erase_if(timers_, [&timer](const RepeatingPtr& one) { return one.get() == &timer; });
}

void Repeating::on_timer(Timer& timer) {
  auto& self = static_cast<Repeating&>(timer);
  ShardSide& side = *self.side;
  if (self.cancelled->load()) return side.end(self);
  side.guard("timer", {}, [&self] { self.function(); });
  if (self.interval_ms == 0 || self.cancelled->load()) return side.end(self);
  // From now on, so that a slow function is not called without a pause.
  side.shard().wheel().schedule(self, std::max(self.deadline_ms() + self.interval_ms, monotonic_ms() + 1));
}

app::ShardProgram::Taken ShardSide::on_request(const WebRequest& request, http::Response& response) {
  return http_.on_request(request, response);
}

void ShardSide::on_end() {
  // What these cause is left to nobody: the connections are gone.
  run_later();
  link_->detach(shard_.index());
  timers_.clear();
}

ShardSide::Scope::Scope(ShardSide& side) : before_(std::exchange(current_side, &side)) {}

ShardSide::Scope::~Scope() {
  current_side = before_;
}

ShardSide::Call::Call(ShardSide& side, std::string_view what, std::string_view name)
    : scope_(side), side_(side), what_(what), name_(name), began_us_(monotonic_us()) {}

ShardSide::Call::~Call() {
  const uint64_t took_us = monotonic_us() - began_us_;
  if (took_us >= kSlowUs) side_.note_slow(what_, name_, took_us);
}

namespace {

// What the exception that is being handled says.
std::string words_of_exception() {
  try {
    throw;
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "not a std::exception";
  }
}

}  // namespace

// Clients can make a handler throw as often as they like, so each is named once in a while only.
std::optional<uint64_t> ShardSide::may_name(std::string_view event, std::string_view what, std::string_view name) {
  std::string key(event);
  ((key += ' ') += what) += ' ';
  key += name;
  if (named_.size() >= kNamedMax && !named_.contains(key)) named_.clear();
  Named& named = named_[key];
  const uint64_t now_us = monotonic_us();
  ++named.times;
  if (named.at_us != 0 && now_us - named.at_us < kNameEveryUs) return std::nullopt;
  named.at_us = now_us;
  return std::exchange(named.times, 0);
}

// Called in a catch block.
void ShardSide::note_exception(std::string_view what, std::string_view name) noexcept {
  try {
    const std::string words = words_of_exception();
    if (const auto times = may_name("threw", what, name)) {
      log::event(log::Level::kError, "handler_threw",
                 {{"handler", what}, {"name", name}, {"what", words}, {"times", *times}});
    }
  } catch (...) {  // NOLINT(bugprone-empty-catch): no memory for a line of the log
  }
}

void ShardSide::note_slow(std::string_view what, std::string_view name, uint64_t took_us) noexcept {
  try {
    if (const auto times = may_name("slow", what, name)) {
      log::event(log::Level::kWarn, "handler_slow",
                 {{"handler", what}, {"name", name}, {"took_ms", took_us / 1'000}, {"times", *times}});
    }
  } catch (...) {  // NOLINT(bugprone-empty-catch): the same
  }
}

}  // namespace kilat::embed
