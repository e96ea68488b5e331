// Gather: one answer from each shard, waited for with a limit. Shared by the waiting thread and the shards' tasks
// through a shared_ptr, so that a late answer finds something to put itself into.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace kilat::app {

template <typename T>
class Gather {
 public:
  explicit Gather(size_t count) : values_(count), missing_(count) {}

  /// Any thread, once for each place. Nothing: there will be no answer.
  void put(size_t place, std::optional<T> value) {
    const std::lock_guard lock(mutex_);
    values_[place] = std::move(value);
    if (--missing_ == 0) all_here_.notify_one();
  }

  /// What is there when all have answered, or when the time is over.
  std::vector<std::optional<T>> wait(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    all_here_.wait_for(lock, limit, [this] { return missing_ == 0; });
    return values_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable all_here_;
  std::vector<std::optional<T>> values_;
  size_t missing_;
};

}  // namespace kilat::app
