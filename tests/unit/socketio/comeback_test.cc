// Clients that come back after a restart: with their rooms and what the durable ones have had since, each event once,
// or as new clients.
#include "socketio/comeback.h"

#include "unit/socketio/lasting_world.h"

namespace kilat::socketio::testing {
namespace {

struct ComebackTest : SocketIoTest {
  ComebackTest() { begin(); }

  static World::Setup setup() {
    World::Setup setup;
    setup.options.recovery_ms = 3'000;
    setup.options.recovery_bytes_max = 4'000;
    setup.app.history = {"jobs.* size=100 durable", "presence-jobs.* durable", "small size=2 durable"};
    return setup;
  }
  void begin(hub::ShardIndex count = 0) {
    run.reset();
    run = std::make_unique<LastingWorld>(disk, count == 0 ? shards() : count, setup());
  }

  /// A client on shard 0 in these rooms.
  Client& first(const std::vector<std::string>& rooms = {"jobs.1"}) {
    Client& client = run->world.open(0);
    pid = member(client.connect().at(0), "pid");
    offset.clear();
    for (const std::string& room : rooms) join(client, room);
    return client;
  }
  Log join(Client& client, const std::string& room) {
    Log log = client.subscribe(room);
    run->settle();
    for (std::string& line : client.read()) log.push_back(std::move(line));
    return log;
  }
  std::string payload(std::string_view more = {}) const {
    return R"({"pid":")" + pid + "\"" + (offset.empty() ? "" : R"(,"offset":")" + offset + "\"") + std::string(more) +
           "}";
  }
  Client& back(std::string_view nsp = {}) {
    Client& client = run->world.open(1);
    client.read();
    client.say("40" + std::string(nsp) + payload());
    run->settle();
    return client;
  }
  /// The data of the events that are there; keeps the offset of the last one. "connected" is the answer to a CONNECT
  /// with the pid of before, "new" one with another.
  std::string hear(Client& client, size_t most = SIZE_MAX) {
    std::string heard;
    for (const std::string& line : client.read()) {
      if (most-- == 0) break;
      if (!heard.empty()) heard += ' ';
      if (line.starts_with("40")) {
        heard += member(line, "pid") == pid ? "connected" : "new";
        pid = member(line, "pid");
      } else if (line.starts_with(R"(42["m",)")) {
        const size_t end = line.rfind("\"]");
        const size_t begin = line.rfind('"', end - 1);
        offset = line.substr(begin + 1, end - begin - 1);
        heard += line.substr(7, line.find(',', 7) - 7);
      } else {
        heard += line;
      }
    }
    return heard;
  }

  Disk disk;
  std::unique_ptr<LastingWorld> run;
  std::string pid;
  std::string offset;
};
KILAT_SOCKETIO_TEST(ComebackTest);

TEST_P(ComebackTest, MissedEventsOfAllDurableRooms_ComeOnce_InTheirOrder_BeforeTheAnswer) {
  Client& client = first({"jobs.1", "jobs.2", "jobs.3", "loose"});
  run->publish("jobs.1", "1");
  run->publish("jobs.2", "2");
  EXPECT_EQ(hear(client), "1 2");
  run->publish("jobs.3", "3");  // on its way when the server ends
  begin();
  run->publish("jobs.2", "4");
  run->publish("loose", "5");
  Client& again = back();
  EXPECT_EQ(hear(again), "3 4 connected");
  run->publish("loose", "6");
  run->publish("jobs.1", "7");
  EXPECT_EQ(hear(again), "6 7");
  EXPECT_EQ(run->world.shard(0).sio.tally.recovered, 1U);
}

TEST_P(ComebackTest, ARunInWhichTheClientDidNotCome_OrHeardNothing_LosesNothing) {
  Client& client = first({"jobs.1", "jobs.2"});
  run->publish("jobs.1", "1");
  EXPECT_EQ(hear(client), "1");
  for (int i = 2; i < 8; i += 2) {
    begin();
    run->publish("jobs.1", std::to_string(i));
    if (i == 4) back();  // and is gone before it has read anything
    run->publish("jobs.2", std::to_string(i + 1));
  }
  begin();
  EXPECT_EQ(hear(back()), "2 3 4 5 6 7 connected");
}

TEST_P(ComebackTest, WhoHeardAPartOfWhatWasMissed_GetsTheRestInTheNextRun) {
  for (size_t part = 0; part <= 4; ++part) {
    disk = {};
    begin();
    Client& client = first({"jobs.1", "jobs.2", "jobs.3"});
    run->publish("jobs.1", "0");
    EXPECT_EQ(hear(client), "0");
    begin();
    for (int i = 1; i <= 4; ++i) run->publish("jobs." + std::to_string(1 + i * 2 % 3), std::to_string(i));
    const std::string all = "1 2 3 4";
    EXPECT_EQ(hear(back(), part), all.substr(0, part == 0 ? 0 : 2 * part - 1));
    begin();
    EXPECT_EQ(hear(back()), (part == 4 ? "" : all.substr(2 * part) + " ") + "connected") << part;
  }
}

TEST_P(ComebackTest, WithOtherShardsThanBefore_ItIsThereWhereItsShardIs) {
  Client& client = first({"jobs.1", "jobs.2", "jobs.3"});
  for (int i = 1; i <= 3; ++i) run->publish("jobs." + std::to_string(i), std::to_string(i));
  EXPECT_EQ(hear(client), "1 2 3");
  begin(shards() + 3);
  run->publish("jobs.2", "4");
  Client& again = back();
  EXPECT_EQ(hear(again), "4 connected");
  run->publish("jobs.3", "5");
  EXPECT_EQ(hear(again), "5");
  begin(1);
  run->publish("jobs.1", "6");
  EXPECT_EQ(hear(back()), "6 connected");
}

TEST_P(ComebackTest, WhatComesLiveWhileItJoins_IsInItsPlace) {
  std::string near = "jobs.1";
  std::string far = "jobs.2";
  while (hub::home_of(0, near, shards()) != 0) near += "1";
  while (hub::home_of(0, far, shards()) + 1 != shards()) far += "2";
  first({near, far});
  begin();
  run->publish(far, "1");
  run->publish(near, "2");
  Client& again = run->world.open(0);
  again.read();
  again.feed(ws::encode_masked_frame(ws::Opcode::kText, "40" + payload(), kMask));
  // The answer of the other shard is under way until settle().
  run->publish_at_home(near, "3");
  run->publish_at_home(far, "4");
  run->publish_at_home(near, "5");
  run->settle();
  EXPECT_EQ(hear(again), "1 2 3 4 5 connected");
}

TEST_P(ComebackTest, AnAnswer_ComesWhenItIsOnDisk_AndTheEventsOfTheRoomBehindIt) {
  Client& client = first({"jobs.1"});
  EXPECT_THAT(client.subscribe("jobs.2"), IsEmpty());
  run->world.publish("loose", "m", "0");
  begin();
  EXPECT_EQ(hear(back()), "connected");
  Client& again = back();
  EXPECT_THAT(again.read(), SizeIs(1));
  run->publish("jobs.2", "1");
  EXPECT_EQ(hear(again), "") << "nobody was told that it is in that room";
  EXPECT_THAT(join(again, "jobs.2"), ElementsAre(R"(431[{"ok":true}])"));
  EXPECT_THAT(again.ask("unsubscribe", R"("jobs.2")"), IsEmpty());
  run->settle();
  EXPECT_THAT(again.read(), ElementsAre(R"(432[{"ok":true}])"));
  begin();
  run->publish("jobs.2", "2");
  EXPECT_EQ(hear(back()), "connected");
}

TEST_P(ComebackTest, EventsBeforeTheAnswerIsOut_WaitBehindIt) {
  Client& client = first({"jobs.1"});
  EXPECT_THAT(client.subscribe("loose"), IsEmpty());
  run->world.publish("loose", "m", "1");
  EXPECT_THAT(client.read(), IsEmpty());
  run->settle();
  const Log log = client.read();
  ASSERT_EQ(log.size(), 2U);
  EXPECT_EQ(log[0], R"(432[{"ok":true}])");
  EXPECT_THAT(log[1], StartsWith(R"(42["m",1,)"));
}

TEST_P(ComebackTest, ClientsWithoutADurableRoom_AreNotWrittenDown) {
  Client& client = first({"loose"});
  EXPECT_TRUE(disk.records.empty());
  join(client, "jobs.1");
  EXPECT_EQ(disk.records.size(), 1U);
  client.ask("unsubscribe", R"("jobs.1")");
  run->settle();
  EXPECT_TRUE(disk.records.empty());
  join(client, "jobs.1");
  client.say("41");
  run->settle();
  EXPECT_TRUE(disk.records.empty());
}

TEST_P(ComebackTest, NoRecord_HasThePid) {
  first();
  ASSERT_EQ(disk.records.size(), 1U);
  const auto& [key, record] = *disk.records.begin();
  EXPECT_EQ((key + record.second).find(pid), std::string::npos);
}

TEST_P(ComebackTest, ThePid_IsGoodOnce_AndForItsNamespace) {
  Client& client = first();
  run->publish("jobs.1", "1");
  hear(client);
  begin();
  const std::string old = pid;
  EXPECT_EQ(hear(back("/custom,")), "new");
  pid = old;
  EXPECT_EQ(hear(back()), "connected");
  EXPECT_EQ(hear(back()), "connected") << "taken over from the connection that has it";
  EXPECT_EQ(run->world.sockets(), 2U);
}

TEST_P(ComebackTest, OffsetsThatDoNotFit_AreANewBeginning) {
  for (const std::string_view made_up : {"1", "1.2", "1.2.3", "1.9.3", "x y"}) {
    disk = {};
    begin();
    first();
    begin();
    offset = made_up;
    EXPECT_EQ(hear(back()), "new") << made_up;
  }
}

TEST_P(ComebackTest, TooLate_IsANewBeginning_AndTheRecordsGo) {
  first();
  begin();
  run->world.pass(2'999);
  EXPECT_EQ(run->remembered(), 1U);
  run->world.pass(1);
  run->settle();
  EXPECT_EQ(run->remembered(), 0U);
  EXPECT_TRUE(disk.records.empty());
  EXPECT_EQ(hear(back()), "new");
}

TEST_P(ComebackTest, WhatIsNotKeptAnyMore_OrTooMuch_OrOfAnotherEpoch_IsANewBeginning) {
  first({"jobs.1", "small"});
  begin();
  for (int i = 0; i < 3; ++i) run->publish("small", "1");
  EXPECT_EQ(hear(back()), "new");
  EXPECT_TRUE(disk.records.empty());

  first({"jobs.1"});
  begin();
  for (int i = 0; i < 5; ++i) run->publish("jobs.1", '"' + std::string(900, 'x') + '"');
  EXPECT_EQ(hear(back()), "new");

  first({"jobs.1"});
  disk.channels["jobs.1"].epoch ^= 1;
  begin();
  Client& again = back();
  EXPECT_EQ(hear(again), "new");
  join(again, "jobs.1");
  run->publish("jobs.1", "1");
  EXPECT_EQ(hear(again), "1");
  EXPECT_EQ(run->world.sockets(), 1U);
  run->world.pass(10'000);
  EXPECT_EQ(run->world.sockets(), 1U);
}

TEST_P(ComebackTest, ManyThatFitEachButNotTogether_AreANewBeginning) {
  first({"jobs.1", "jobs.2"});
  begin();
  for (int i = 0; i < 3; ++i) {
    run->publish("jobs.1", '"' + std::string(700, 'x') + '"');
    run->publish("jobs.2", '"' + std::string(700, 'x') + '"');
  }
  EXPECT_EQ(hear(back()), "new");
}

TEST_P(ComebackTest, UserAndPresence_AreThereAgain) {
  Client& client = first({"jobs.1"});
  client.sign_in(R"({"id":"u"})");
  client.subscribe_presence("presence-jobs.1", R"({"user_id":"p","user_info":{"n":1}})");
  run->settle();
  begin();
  Client& again = back();
  EXPECT_EQ(hear(again), "connected");
  EXPECT_EQ(again.socket()->user_id(), "u");
  Client& other = run->world.join(1);
  EXPECT_THAT(other.subscribe_presence("presence-jobs.1", R"({"user_id":"w"})"), IsEmpty());
  run->settle();
  EXPECT_THAT(other.read(), ElementsAre(HasSubstr(R"({"user_id":"p","user_info":{"n":1}})")));
  run->world.kick("u");
  EXPECT_TRUE(again.finished());
  run->settle();
  EXPECT_EQ(disk.records.size(), 1U) << "that of the other client";
}

TEST_P(ComebackTest, PresenceRoomThatIsFull_IsANewBeginning) {
  Client& client = first({"jobs.1"});
  client.subscribe_presence("presence-jobs.1", R"({"user_id":"p"})");
  run->settle();
  begin();
  run->world.app().settings.presence_members_max = 1;
  Client& other = run->world.join(0);
  other.subscribe_presence("presence-jobs.1", R"({"user_id":"w"})");
  run->settle();
  EXPECT_EQ(hear(back()), "new");
  EXPECT_EQ(run->world.sockets(), 2U);
}

TEST_P(ComebackTest, PastThatTheClientHasNotAllSeen_IsANewBeginning) {
  for (const size_t seen : {0, 1, 2, 3}) {
    disk = {};
    begin();
    for (int i = 1; i <= 3; ++i) run->publish("jobs.1", std::to_string(i));
    Client& client = first({"jobs.2"});
    client.ask("subscribe", R"({"channel":"jobs.1","rewind":{"count":3}})");
    run->settle();
    Log log = client.read();
    ASSERT_EQ(log.size(), 4U);
    if (seen > 0) {
      const std::string& last = log[seen];
      const size_t end = last.rfind("\"]");
      offset = last.substr(last.rfind('"', end - 1) + 1, end - last.rfind('"', end - 1) - 1);
    }
    begin();
    EXPECT_EQ(hear(back()), seen == 3 ? "connected" : "new") << seen;
  }
}

TEST_P(ComebackTest, AHomeThatDoesNotAnswer_IsANewBeginningInTheEnd) {
  if (shards() == 1) return;
  std::string far = "jobs.1";
  while (hub::home_of(0, far, shards()) == 0) far += "1";
  first({far});
  begin();
  Client& again = run->world.open(0);
  again.read();
  again.feed(ws::encode_masked_frame(ws::Opcode::kText, "40" + payload(), kMask));
  TestShard& shard = run->world.shard(0);
  shard.set_now(kStartMs + kilat::socketio::Comeback::kWaitMs);
  shard.wheel.advance(kStartMs + kilat::socketio::Comeback::kWaitMs);
  shard.sio.finish_turn();
  EXPECT_EQ(hear(again), "new");
  run->settle();
  EXPECT_EQ(run->world.sockets(), 1U);
  EXPECT_EQ(run->world.shard(1).hub.home().channel_count(), 1U) << "its history only";
}

TEST_P(ComebackTest, AConnectionThatEndsMeanwhile_LeavesItsSocketForTheNextOne) {
  Client& client = first({"jobs.1", "jobs.2"});
  run->publish("jobs.1", "1");
  hear(client);
  begin();
  run->publish("jobs.2", "2");
  Client& again = run->world.open(0);
  again.read();
  again.feed(ws::encode_masked_frame(ws::Opcode::kText, "40" + payload(), kMask));
  again.drop();
  run->settle();
  run->publish("jobs.1", "3");
  EXPECT_EQ(hear(back()), "2 3 connected");
}

TEST_P(ComebackTest, ByPolling) {
  Client& client = first({"jobs.1"});
  run->publish("jobs.1", "1");
  hear(client);
  begin();
  run->publish("jobs.1", "2");
  Poller poller(run->world, 1);
  EXPECT_EQ(poller.post("40" + payload()), "ok");
  run->settle();
  EXPECT_THAT(poller.get(), AllOf(StartsWith(R"(42["m",2,")"),
                                  HasSubstr("\x1e"
                                            "40{"),
                                  HasSubstr(pid)));
}

}  // namespace
}  // namespace kilat::socketio::testing
