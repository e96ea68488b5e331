#include "scada/context.h"

#include <utility>

namespace examples::scada {
namespace json = boost::json;
namespace {

constexpr std::uint64_t kSeed = 20'260'101;
constexpr std::chrono::seconds kFrozen{3};
constexpr int kSaveEveryTicks = 10;

kilat::Options options_of(const Settings& settings, const Credentials& app, const std::string& jwt_secret) {
  kilat::Options options = server_options(settings, "scada");
  const std::filesystem::path data = std::filesystem::absolute(settings.data);
  options.settings["app.id"] = app.id;
  options.settings["app.key"] = app.key;
  options.settings["app.secret"] = app.secret;
  options.settings["app.jwt_secret"] = jwt_secret;
  options.settings["ingest.file"] = (data / "scada-ingest.db").string();
  options.settings["history.file"] = (data / "scada-history.db").string();
  return options;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

void Pulse::beat(std::uint64_t taken, std::chrono::steady_clock::time_point now) {
  const std::scoped_lock lock(mutex_);
  const double seconds = std::chrono::duration<double>(now - at_).count();
  per_second_ = static_cast<std::int64_t>(static_cast<double>(taken - taken_) / seconds + 0.5);
  at_ = now;
  taken_ = taken;
}

void Pulse::set_queue(json::object queue) {
  const std::scoped_lock lock(mutex_);
  queue_ = std::move(queue);
}

std::int64_t Pulse::per_second() const {
  const std::scoped_lock lock(mutex_);
  return per_second_;
}

json::object Pulse::queue() const {
  const std::scoped_lock lock(mutex_);
  return queue_;
}

Context::Context(const Settings& settings_in, Credentials app_in)
    : settings(settings_in),
      app(std::move(app_in)),
      receiver_key(environment("SCADA_RECEIVER_KEY")),
      tokens(secret(settings.data, "SCADA_JWT_SECRET")),
      server(options_of(settings, app, secret(settings.data, "SCADA_JWT_SECRET"))),
      store(settings.data / "scada.db", unix_ms()),
      gate_database(settings.data / "scada.db"),
      accounts(gate_database),
      plant(kSeed),
      watch(plant.sensors()),
      address(address_promise.get_future().share()),
      feeder(plant, performance, [this](const auto& readings) { watch_readings(readings); }),
      inlet(address),
      queries(address),
      load(address) {
  accounts.add({.id = "1", .name = "Olga Operator", .roles = {"operator"}}, "operator", "operator");
  accounts.add({.id = "2", .name = "Vic Viewer", .roles = {"viewer"}}, "viewer", "viewer");
}

json::object Context::status() const {
  json::array faults;
  for (const FaultNow& fault : plant.faults(unix_ms())) {
    faults.push_back({{"sensor", fault.sensor}, {"fault", name_of(fault.fault)}, {"since", fault.since_ms}});
  }
  return {{"rate", {{"asked", feeder.rate()}, {"reached", pulse.per_second()}}},
          {"accepted", feeder.accepted() + received},
          {"received", received.load()},
          {"retries", feeder.retries()},
          {"queue", pulse.queue()},
          {"sensors", plant.sensors().size() + host_sensors().size()},
          {"faults", std::move(faults)},
          {"connections", server.connections()},
          {"time", unix_ms()}};
}

void Context::watch_readings(const std::vector<Reading>& readings) {
  std::vector<Alarm> alarms;
  for (const Reading& reading : readings) watch.see(reading.sensor, reading.value, reading.time_ms, alarms);
  if (!alarms.empty()) tell(std::move(alarms));
}

void Context::tell(std::vector<Alarm> alarms) {
  storage.post([this, alarms = std::move(alarms)] {
    for (const Alarm& alarm : alarms) {
      const json::object noted = [&] {
        const Stopwatch stopwatch(performance, "alarm: keep");
        return store.note(alarm);
      }();
      server.publish(app.id, "scada-alarms", alarm.raised ? "scada.alarm.raised" : "scada.alarm.cleared", noted);
    }
  });
}

void Context::on_tick() {
  const auto now = std::chrono::steady_clock::now();
  pulse.beat(feeder.accepted() + received, now);
  // A process that was frozen has heard nobody, and neither has one whose readings are not taken.
  const bool deaf = feeder.stalled() || (last_tick.time_since_epoch().count() != 0 && now - last_tick > kFrozen);
  last_tick = now;
  if (deaf) {
    watch.forget_times();
  } else {
    std::vector<Alarm> alarms;
    watch.look_for_silence(unix_ms(), alarms);
    if (!alarms.empty()) tell(std::move(alarms));
  }
  server.publish(app.id, "scada-status", "scada.status.updated", status());
  if (++ticks % kSaveEveryTicks == 0) performance.save(store.database());
}

}  // namespace examples::scada
