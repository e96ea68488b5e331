#include "embed/link.h"

#include <mutex>
#include <stdexcept>
#include <utility>

#include "embed/shard_side.h"

namespace kilat::embed {

void require_open(bool sealed) {
  if (sealed) throw std::logic_error("handlers are registered before Server::start()");
}

}  // namespace kilat::embed

namespace kilat::io::detail {

NamespaceHandlers& Link::handlers(const std::string& name) {
  auto& found = namespaces_[name];
  if (!found) {
    embed::require_open(sealed_);
    found = std::make_unique<NamespaceHandlers>();
    found->name = name;
  }
  return *found;
}

const NamespaceHandlers* Link::find(const std::string& name) const {
  const auto found = namespaces_.find(name);
  return found == namespaces_.end() ? nullptr : found->second.get();
}

std::vector<std::string> Link::names() const {
  std::vector<std::string> out;
  out.reserve(namespaces_.size());
  for (const auto& [name, handlers] : namespaces_) out.push_back(name);
  return out;
}

void Link::forget_handlers() {
  for (const auto& [name, handlers] : namespaces_) {
    handlers->connection.clear();
    handlers->events.clear();
    handlers->middleware.clear();
  }
}

void Link::attach(embed::ShardSide& side, hub::ShardIndex shard) {
  const std::unique_lock lock(mutex_);
  places_[shard].side = &side;
}

void Link::detach(hub::ShardIndex shard) {
  const std::unique_lock lock(mutex_);
  places_[shard].side = nullptr;
}

embed::ShardSide* Link::here() const {
  embed::ShardSide* side = embed::ShardSide::current();
  return side != nullptr && &side->link() == this ? side : nullptr;
}

bool Link::post(hub::ShardIndex shard, Task task) {
  const std::shared_lock lock(mutex_);
  Place& place = places_[shard];
  if (place.side == nullptr) return false;
  if (place.waiting.fetch_add(1, std::memory_order_relaxed) >= kTasksMax) {
    place.waiting.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  const bool taken =
      place.side->enqueue([side = place.side, &waiting = place.waiting, task = std::move(task)]() mutable {
        waiting.fetch_sub(1, std::memory_order_relaxed);
        const embed::ShardSide::Scope scope(*side);
        task(*side);
      });
  if (!taken) place.waiting.fetch_sub(1, std::memory_order_relaxed);
  return taken;
}

bool Link::reach(hub::ShardIndex shard, Task task) {
  embed::ShardSide* side = here();
  if (side == nullptr || side->shard().index() != shard) return post(shard, std::move(task));
  task(*side);
  return true;
}

}  // namespace kilat::io::detail
