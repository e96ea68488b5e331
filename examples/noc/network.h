// The thread that speaks to the network: probes of devices, and the devices of the demonstration. It never touches the
// database; results are handed to the worker. Belongs to the system, from its start to its stop().
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <thread>

namespace examples::noc {

class Network {
 public:
  Network() : work_(boost::asio::make_work_guard(context_)) {}
  ~Network() { stop(); }
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  void start() {
    thread_ = std::thread([this] { context_.run(); });
  }
  /// Ends at once; what is under way is dropped. Main thread.
  void stop() {
    context_.stop();
    if (thread_.joinable()) thread_.join();
  }
  /// May be posted to from any thread, also after stop(), when nothing happens.
  boost::asio::io_context& context() { return context_; }

 private:
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
};

}  // namespace examples::noc
