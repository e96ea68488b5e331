// A thread for what a handler must not do on a shard: SQLite, slow requests, timers of the program's own logic. Tasks
// run one after the other, so what belongs to the worker needs no lock. Bound: kTasksMax tasks wait.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace examples {

class Worker {
 public:
  static constexpr std::size_t kTasksMax = 10'000;
  using Task = std::move_only_function<void()>;

  Worker() : thread_([this] { run(); }) {}
  /// Runs what waits already, then ends.
  ~Worker() { stop(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Any thread. False when too much waits, or after stop(); the task is dropped. What a task throws is written to
  /// standard error.
  bool post(Task task);
  /// Calls the function again and again on the worker, first after `interval`. What is overdue is not caught up with.
  void every(std::chrono::milliseconds interval, std::function<void()> function);
  /// Runs what waits already, and joins. Not from a task.
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  struct Periodic {
    std::chrono::milliseconds interval;
    Clock::time_point due;
    std::function<void()> function;
  };
  void run();
  Periodic* due(Clock::time_point now);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  std::deque<Periodic> periodic_;  // a deque: functions are called outside of the lock, and must not move
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace examples
