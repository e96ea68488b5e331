#include "app/socket_registry.h"

#include <atomic>
#include <string>
#include <utility>

#include "app/shard.h"
#include "base/log.h"
#include "base/memory_reserve.h"
#include "socketio/comeback.h"
#include "socketio/registry.h"

namespace kilat::app {

class SocketRegistry::Desk final : public socketio::Registry {
 public:
  Desk(Shard& shard, std::unique_ptr<store::SocketStore>& store) : shard_(shard), store_(store) {}

  uint64_t put(const std::string& key, std::string record) override {
    return store_->put({.key = key, .shard = shard_.index(), .record = std::move(record)});
  }
  void erase(const std::string& key) override { store_->erase(key); }

  /// The writer's thread.
  void deliver(uint64_t ticket) {
    written_.store(ticket, std::memory_order_release);
    if (posted_.exchange(true)) return;
    const memory::MustSucceed telling;
    shard_.post([this] {
      posted_.store(false);
      shard_.socketio().on_written(written_.load(std::memory_order_acquire));
    });
  }

 private:
  Shard& shard_;
  std::unique_ptr<store::SocketStore>& store_;
  std::atomic<uint64_t> written_ = 0;  ///< the last that was told
  std::atomic<bool> posted_ = false;
};

SocketRegistry::SocketRegistry(std::span<const std::unique_ptr<Shard>> shards) : shards_(shards) {}

SocketRegistry::~SocketRegistry() {
  stop();
  for (const auto& shard : shards_) shard->socketio().registry = nullptr;
}

Result<std::unique_ptr<SocketRegistry>> SocketRegistry::open(const std::filesystem::path& file, uint64_t first_order,
                                                             std::span<const std::unique_ptr<Shard>> shards) {
  std::unique_ptr<SocketRegistry> out(new SocketRegistry(shards));
  auto store =
      store::SocketStore::open({.file = file, .on_written = [registry = out.get()](uint64_t ticket, uint64_t of) {
                                  registry->deliver(ticket, of);
                                }});
  if (!store) return fail(Reason::kDurableFileInvalid, file.string() + ": " + store.error().why);
  out->store_ = std::move(*store);
  for (const auto& shard : shards) {
    out->desks_.push_back(std::make_unique<Desk>(*shard, out->store_));
    shard->hub().track_orders(first_order);
    shard->socketio().set_registry(*out->desks_.back(), out->store_->run());
  }
  return out;
}

Result<void> SocketRegistry::restore() {
  auto rows = store_->load();
  if (!rows) return fail(Reason::kDurableFileInvalid, rows.error().why);
  size_t restored = 0;
  for (store::SocketRow& row : *rows) {
    // A client whose shard is not there any more begins anew.
    if (row.shard < shards_.size() && shards_[row.shard]->socketio().comebacks->remember(row.key, row.record)) {
      ++restored;
    } else {
      store_->erase(std::move(row.key));
    }
  }
  for (const auto& shard : shards_) shard->socketio().comebacks->start();
  log::event(log::Level::kInfo, "sockets_remembered", {{"sockets", restored}});
  return {};
}

void SocketRegistry::deliver(uint64_t ticket, uint64_t shards) {
  for (size_t i = 0; i < desks_.size(); ++i) {
    if ((shards >> i & 1) != 0) desks_[i]->deliver(ticket);
  }
}

void SocketRegistry::stop() {
  if (store_) store_->stop();
}

}  // namespace kilat::app
