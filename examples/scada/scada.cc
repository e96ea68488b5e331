#include "scada/scada.h"

#include <cstdlib>
#include <memory>
#include <string>

#include "scada/context.h"

namespace examples::scada {
namespace {

constexpr std::int64_t kFirstRate = 200;

std::string environment_or(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? otherwise : value;
}

// A program that listens everywhere is reached by itself on loopback.
std::string own_url(const std::string& host, std::uint16_t port) {
  const bool any = host.empty() || host == "0.0.0.0" || host == "::";
  const std::string name = any ? "127.0.0.1" : host;
  return "http://" + (name.find(':') == std::string::npos ? name : "[" + name + "]") + ":" + std::to_string(port);
}

class Scada final : public System {
 public:
  explicit Scada(const Settings& settings)
      : context_(settings, {.id = environment_or("PUSHER_APP_ID", "scada"),
                            .key = environment_or("PUSHER_APP_KEY", "scada-key"),
                            .secret = secret(settings.data, "PUSHER_APP_SECRET")}) {
    context_.performance.load(context_.store.database());
    context_.feeder.set_rate(context_.store.number("rate", kFirstRate));
    add_reading_routes(context_);
    add_control_routes(context_);
    add_report_routes(context_);
    serve_pages(context_.server, settings, name());
  }
  ~Scada() override { stop(); }

  std::string_view name() const override { return "scada"; }
  std::uint16_t port() const override { return context_.server.port(); }
  std::string key() const override { return context_.server.app().key; }
  std::expected<void, std::string> start() override;
  void stop() override;

 private:
  Context context_;
  bool runs_ = false;
};

std::expected<void, std::string> Scada::start() {
  if (auto started = context_.server.start(); !started) {
    context_.address_promise.set_exception(std::make_exception_ptr(std::runtime_error("the server did not start")));
    return started;
  }
  runs_ = true;
  context_.address_promise.set_value({.url = own_url(context_.settings.host, port()),
                                      .app_id = context_.app.id,
                                      .key = context_.app.key,
                                      .secret = context_.app.secret});
  context_.pulse.beat(0, std::chrono::steady_clock::now());
  context_.feeder.start(context_.address);
  context_.storage.every(std::chrono::seconds(1), [this] { context_.on_tick(); });
  context_.queries.every(std::chrono::seconds(1), [this](kilat::Publisher& publisher) {
    const Stopwatch stopwatch(context_.performance, "queue: look");
    if (const auto queue = publisher.get("/ingest"); queue && queue->is_object()) {
      context_.pulse.set_queue(queue->as_object());
    }
  });
  return {};
}

void Scada::stop() {
  if (!runs_) return;
  runs_ = false;
  context_.feeder.stop();
  context_.inlet.stop();
  context_.queries.stop();
  context_.load.stop();
  context_.gate.stop();
  context_.server.drain();
  context_.server.join();
  context_.storage.stop();
  context_.performance.save(context_.store.database());
}

}  // namespace

std::unique_ptr<System> make_scada(const Settings& settings) {
  return std::make_unique<Scada>(settings);
}

}  // namespace examples::scada
