// World: the real shards of a server on the fake kernel, stepped turn by turn in one thread, in an order that the test
// chooses. Nothing happens between two calls.
// Owner: the test. One at a time, because there is one fake kernel.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/shard.h"
#include "fake_net/kernel.h"

namespace kilat::fake_net {

/// One app with everything allowed: id 3, key app-key, secret app-secret; two more with compression, shared-key and
/// own-key. Small limits, so that tests reach them.
config::Settings world_settings(uint32_t shards);

class World {
 public:
  explicit World(const config::Settings& settings, uint64_t seed = 1);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  uint32_t size() const { return static_cast<uint32_t>(shards_.size()); }
  app::Shard& shard(uint32_t index) { return *shards_[index]; }
  int listener(uint32_t shard) const { return listeners_[shard]; }

  /// One turn of one shard; false when its life is over.
  bool step(uint32_t shard);
  /// Steps all shards until nothing moves any more.
  void settle();
  /// Lets time pass, in hops after each of which everything settles.
  void pass(uint64_t ms);
  void ask(app::Shard::Request request);

  /// What is left although all clients are gone: empty when nothing is. Names the first thing found.
  std::string leftovers();
  /// Ends the server and the kernel. The same for descriptors.
  std::string end();

 private:
  bool mail_waits();

  std::unique_ptr<app::Common> common_;
  std::vector<std::unique_ptr<app::Shard>> shards_;
  std::vector<int> listeners_;
  std::vector<char> alive_;
  bool ended_ = false;
};

}  // namespace kilat::fake_net
