// A thread with a kilat::Publisher of its own, for what the program asks of the server it carries: HTTP on loopback, as
// any other backend would. Tasks run one after the other. Bounds: Worker::kTasksMax tasks wait.
#pragma once

#include <kilat/publisher.h>

#include <functional>
#include <future>
#include <optional>

#include "common/worker.h"

namespace examples::scada {

/// How to reach the server; known once it listens.
using Address = std::shared_future<kilat::PublisherOptions>;

class Desk {
 public:
  using Task = std::move_only_function<void(kilat::Publisher&)>;

  explicit Desk(Address address) : address_(std::move(address)) {}

  /// Any thread. False when too much waits; the task is dropped.
  bool post(Task task) {
    return worker_.post([this, task = std::move(task)]() mutable { task(publisher()); });
  }
  /// Again and again; what it throws is written to standard error.
  void every(std::chrono::milliseconds interval, std::function<void(kilat::Publisher&)> function) {
    worker_.every(interval, [this, function = std::move(function)] { function(publisher()); });
  }
  void stop() { worker_.stop(); }

 private:
  kilat::Publisher& publisher() {
    if (!publisher_) publisher_.emplace(address_.get());
    return *publisher_;
  }

  Address address_;
  std::optional<kilat::Publisher> publisher_;
  Worker worker_;  // last: it ends before what its tasks use
};

}  // namespace examples::scada
