// TaskQueue: work that other threads hand to a shard: scrapes, reloads, dumps. Never on the way of a message.
// Any thread posts; the shard's thread runs, between two turns. Bounded by its callers: Ops waits for one round of
// tasks before it begins the next, and a program that has the server inside counts its own (embed/link.h).
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

namespace kilat::app {

class TaskQueue {
 public:
  using Task = std::move_only_function<void()>;

  /// False when the shard has ended: then the task is dropped.
  bool post(Task task) {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    tasks_.push_back(std::move(task));
    waiting_.store(true, std::memory_order_release);
    return true;
  }

  /// Runs what is there, in order. One load when there is nothing.
  void run() {
    if (!waiting_.load(std::memory_order_acquire)) return;
    for (Task& task : take()) attempt(task);
  }

  /// Runs what is there; from now on nothing is taken.
  void close() {
    std::vector<Task> last;
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      last = std::exchange(tasks_, {});
    }
    for (Task& task : last) attempt(task);
  }

 private:
  // Without memory for it a task is left out: whoever waits for it goes on without it.
  static void attempt(Task& task) {
    try {
      task();
    } catch (const std::bad_alloc&) {
      task = nullptr;
    }
  }

  std::vector<Task> take() {
    const std::lock_guard lock(mutex_);
    waiting_.store(false, std::memory_order_relaxed);
    return std::exchange(tasks_, {});
  }

  std::mutex mutex_;
  std::vector<Task> tasks_;
  std::atomic<bool> waiting_{false};
  bool closed_ = false;
};

}  // namespace kilat::app
