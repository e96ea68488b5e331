#include "noc/noc.h"

#include <kilat/kilat.h>

#include <future>
#include <optional>
#include <stdexcept>

#include "common/tokens.h"
#include "common/worker.h"
#include "noc/api.h"
#include "noc/centre.h"
#include "noc/network.h"
#include "noc/sockets.h"
#include "noc/targets.h"

namespace examples {
namespace noc {
namespace {

kilat::Options options_of(const Settings& settings) {
  kilat::Options options = server_options(settings, "noc");
  options.settings["app.secret"] = secret(settings.data, "NOC_APP_SECRET");
  options.settings["app.jwt_secret"] = secret(settings.data, "NOC_JWT_SECRET");
  options.settings["history.file"] = (settings.data / "noc-history.db").string();
  return options;
}

// The order of the members is that of their making; the worker, which uses all of them, ends first.
class Noc : public System {
 public:
  explicit Noc(const Settings& settings)
      : settings_(settings),
        tokens_(secret(settings.data, "NOC_JWT_SECRET")),
        server_(options_of(settings)),
        targets_(network_),
        api_(server_, worker_, tokens_, centre_) {}
  ~Noc() override { stop(); }

  std::string_view name() const override { return "noc"; }

  std::expected<void, std::string> start() override {
    if (auto made = on_worker([this] { make_centre(); }); !made) return made;
    api_.add_routes();
    add_socket_handlers(server_, worker_, centre_);
    serve_pages(server_, settings_, "noc");
    if (auto started = server_.start(); !started) return started;
    started_ = true;
    network_.start();
    return on_worker([this] { centre_->begin(worker_); });
  }

  void stop() override {
    if (started_) {
      server_.drain();
      server_.join();
    }
    started_ = false;
    worker_.stop();
    network_.stop();
  }

  std::uint16_t port() const override { return server_.port(); }

 private:
  void make_centre() {
    made_.emplace(settings_,
                  Centre::Parts{.server = server_, .worker = worker_, .network = network_, .targets = targets_});
    centre_ = &*made_;
  }

  /// Runs a task on the worker, and waits for it.
  std::expected<void, std::string> on_worker(std::function<void()> task) {
    std::packaged_task<void()> packaged(std::move(task));
    std::future<void> done = packaged.get_future();
    if (!worker_.post(std::move(packaged))) return std::unexpected("the worker has ended");
    try {
      done.get();
      return {};
    } catch (const std::exception& error) {
      return std::unexpected(error.what());
    }
  }

  Settings settings_;
  Tokens tokens_;
  kilat::Server server_;
  Network network_;
  DemoTargets targets_;
  std::optional<Centre> made_;
  Centre* centre_ = nullptr;
  bool started_ = false;
  Worker worker_;
  Api api_;
};

}  // namespace
}  // namespace noc

std::unique_ptr<System> make_noc(const Settings& settings) {
  return std::make_unique<noc::Noc>(settings);
}

}  // namespace examples
