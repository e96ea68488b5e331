// When an emit is answered: when the homes of its rooms have taken it, and where they keep it on disk, when it is
// there.
#include "unit/socketio/lasting_world.h"

namespace kilat::socketio::testing {
namespace {

struct EmitAnswer : SocketIoTest {
  static World::Setup setup() {
    World::Setup setup;
    setup.app.history = {"jobs.* size=100 durable"};
    setup.app.client_events_on_public = true;
    return setup;
  }
  /// What is answered before the disk has said anything, and then.
  std::vector<std::string> emit(std::string_view more) {
    const std::string body = R"({"event":"m","args":[1],)" + std::string(more) + "}";
    std::vector<std::string> answers{run.world.post("emit", body)};
    run.settle();
    if (answers[0] == "<waiting>") answers.push_back(run.world.answer_text(run.world.last_call()));
    return answers;
  }
  size_t on_disk() const {
    size_t count = 0;
    for (const auto& [name, channel] : disk.channels) count += channel.events.size();
    return count;
  }

  Disk disk;
  LastingWorld run{disk, shards(), setup()};
};
KILAT_SOCKETIO_TEST(EmitAnswer);

TEST_P(EmitAnswer, ToADurableRoom_WaitsForTheDisk) {
  for (const char* room : {"jobs.1", "jobs.2", "jobs.3"}) {
    EXPECT_THAT(emit(R"("rooms":[")" + std::string(room) + "\"]"), ElementsAre("<waiting>", "{}"));
  }
  EXPECT_EQ(on_disk(), 3U);
  EXPECT_THAT(emit(R"("rooms":["jobs.1","jobs.2","jobs.3","plain"])"), ElementsAre("<waiting>", "{}"));
  EXPECT_EQ(on_disk(), 6U);
}

TEST_P(EmitAnswer, ToADurableRoomWithoutRoomOnDisk_IsRefused) {
  disk.full = "jobs.2";
  EXPECT_THAT(emit(R"("rooms":["jobs.2"])"), ElementsAre("<waiting>", "<503 history_unavailable>"));
  EXPECT_THAT(emit(R"("rooms":["jobs.1"])"), ElementsAre("<waiting>", "{}"));
  // Once for all of them.
  EXPECT_THAT(emit(R"("rooms":["jobs.1","jobs.2","jobs.3"])"), ElementsAre("<waiting>", "<503 history_unavailable>"));
  disk.full.clear();
  EXPECT_THAT(emit(R"("rooms":["jobs.1","jobs.2","jobs.3"])"), ElementsAre("<waiting>", "{}"));
}

TEST_P(EmitAnswer, ToPlainRooms_IsThere) {
  Client& client = run.world.join(1);
  client.subscribe("plain");
  client.read();
  for (const char* more : {R"("rooms":["plain"])", R"("rooms":["plain","none"])", R"("except":["none"])"}) {
    EXPECT_EQ(emit(more).back(), "{}");
    EXPECT_THAT(client.read(), ElementsAre(R"(42["m",1])")) << more;
  }
}

TEST_P(EmitAnswer, ClientsPublishToADurableRoom_IsAcknowledgedWhenItIsOnDisk) {
  Client& client = run.world.join(0);
  Client& other = run.world.join(1);
  for (const char* room : {"jobs.1", "jobs.2"}) {
    for (Client* each : {&client, &other}) each->subscribe(room);
    run.settle();
  }
  for (Client* each : {&client, &other}) each->read();
  const auto publish = [&](const std::string& room) {
    return client.ask("publish", R"({"channel":")" + room + R"(","event":"client-e","data":1})");
  };
  for (const std::string room : {"jobs.1", "jobs.2"}) {
    EXPECT_THAT(publish(room), IsEmpty()) << room;
    run.settle();
    EXPECT_THAT(client.read(), ElementsAre(HasSubstr(R"([{"ok":true}])")));
    EXPECT_THAT(other.read(), ElementsAre(R"(42["client-e",1])"));
    disk.full = room;
    publish(room);
    run.settle();
    EXPECT_THAT(client.read(), ElementsAre(HasSubstr(refusal(Reason::kHistoryUnavailable))));
    EXPECT_THAT(other.read(), IsEmpty());
    disk.full.clear();
  }
  // Whoever asked has gone when it is on disk.
  publish("jobs.1");
  client.drop();
  run.settle();
}

TEST(EmitAnswerOverload, RefusedByAHomeElsewhere_IsHeard) {
  World world(2);
  const std::string room = world.name_at(1, "room");
  Client& reader = world.join(0);
  reader.subscribe(room);
  reader.read();
  // The way from the home back to the reader is nearly full when the emits come.
  constexpr int kBefore = 1'000;
  for (int i = 0; i < kBefore; ++i) {
    world.shard(1).hub.publish(hub::Publication::make({.channel = room, .event = "e", .data = "1"}));
  }
  const WireRequest request("POST", "/apps/x/socketio/emit", R"({"event":"e","args":[1],"rooms":[")" + room + "\"]}",
                            {});
  const hub::App& app = world.shard(0).sio.app_of(world.shard(0).sio.options.namespaces.front());
  uint64_t emits = 0;
  for (;; ++emits) {
    const EmitOutcome outcome = world.shard(0).sio.emitter->handle(request.get(), "emit", app, emits + 1);
    if (outcome.refused == Reason::kApiOverCapacity) break;
    ASSERT_EQ(outcome.refused, Reason::kNone);
    ASSERT_FALSE(outcome.json) << "it is not known yet";
  }
  TestShard& home = world.shard(1);
  world.shard(0).mailbox.deliver();
  home.mailbox.drain(SIZE_MAX, [&](hub::Command&& command) { home.hub.receive(std::move(command)); });
  world.pump();
  ASSERT_EQ(world.shard(0).answers.size(), emits);
  uint64_t taken = 0;
  for (const auto& [ticket, answer] : world.shard(0).answers) {
    taken += answer.status == 200;
    if (answer.status != 200) {
      EXPECT_EQ(answer.body, reason_row(Reason::kApiOverCapacity).id);
    }
  }
  EXPECT_LT(taken, emits);
  EXPECT_EQ(reader.read().size(), kBefore + taken);
}

}  // namespace
}  // namespace kilat::socketio::testing
