#include "flow/sample_lane.h"

#include <utility>

namespace kilat::flow {

Lane::Outcome SampleLane::take(const Event& /*event*/, uint8_t /*depth*/) {
  const std::optional<std::string_view> name = key_on_stage();
  if (!name) return Outcome::kUnfit;
  const auto found = keys_.find(*name);
  if (found == keys_.end()) {
    const uint64_t size = kNodeBytes + name->size();
    if (!state().admit_key(size)) return Outcome::kUnfit;
    try {
      auto key = std::make_unique<Key>(Key{std::string(*name)});
      const std::string_view view = key->key;
      keys_.emplace(view, std::move(key));
    } catch (...) {
      state().release(1, size);
      throw;
    }
    if (!armed()) wait_until(stage().now_ms + kForgetMs);
    return Outcome::kAsIs;
  }
  Key& key = *found->second;
  key.fresh = true;
  if (++key.left_out < rule().one_in) {
    ++counters().sampled_out;
    return Outcome::kTaken;
  }
  key.left_out = 0;
  return Outcome::kAsIs;
}

Lane& SampleLane::on_due() {
  boost::unordered::erase_if(keys_, [&](const auto& entry) {
    if (std::exchange(entry.second->fresh, false)) return false;
    state().release(1, kNodeBytes + entry.second->key.size());
    return true;
  });
  if (!keys_.empty()) wait_until(stage().now_ms + kForgetMs);
  return *this;
}

}  // namespace kilat::flow
