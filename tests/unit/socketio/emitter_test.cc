// What a backend does: events to any selection of sockets, acknowledgements, joining, leaving, disconnecting, listing.
#include "unit/socketio/socketio_test.h"

namespace kilat::socketio::testing {
namespace {

struct Emit : SocketIoTest {
  World world{shards()};
  Client& a = world.join(0);
  Client& b = world.join(1);
  Client& c = world.join(1);

  void rooms() {
    for (const char* room : {"r1", "r2"}) a.subscribe(room);
    b.subscribe("r1");
    c.subscribe("r2");
  }
  /// Who got the event "e", each as often as it got it.
  std::string receivers() {
    std::string who;
    char name = 'a';
    for (Client* client : {&a, &b, &c}) {
      for (const std::string& text : client->read()) who += text.find("[\"e\"") != std::string::npos ? name : '?';
      ++name;
    }
    return who;
  }
  std::string emit(std::string_view selection) {
    const std::string answer =
        world.post("emit", R"({"event":"e","args":[1])" + std::string(selection.empty() ? "" : ",") +
                               std::string(selection) + "}");
    EXPECT_EQ(answer, "{}");
    return receivers();
  }
};
KILAT_SOCKETIO_TEST(Emit);

// --- who is meant

TEST_P(Emit, Rooms_AreAUnionAndEachSocketGetsItOnce) {
  rooms();
  EXPECT_EQ(emit(R"("rooms":["r1"])"), "ab");
  EXPECT_EQ(emit(R"("rooms":"r2")"), "ac");
  EXPECT_EQ(emit(R"("rooms":["r1","r2"])"), "abc");
  EXPECT_EQ(emit(R"("rooms":["r1","r1"])"), "ab");
  EXPECT_EQ(emit(R"("rooms":["nobody"])"), "");
  EXPECT_EQ(emit(R"("rooms":["nobody","r1"])"), "ab");
  EXPECT_EQ(emit(R"("rooms":[])"), "");
}

TEST_P(Emit, Exceptions_AreRoomsOrSockets) {
  rooms();
  EXPECT_EQ(emit(R"("rooms":["r1"],"except":["r2"])"), "b");
  EXPECT_EQ(emit(R"("except":["r2"])"), "b");
  EXPECT_EQ(emit(R"("except":["r1","r2"])"), "");
  EXPECT_EQ(emit(R"("rooms":["r1"],"except":[")" + b.id() + "\"]"), "a");
  EXPECT_EQ(emit(R"("rooms":["r1","r2"],"except":[")" + b.id() + R"(",")" + c.id() + "\"]"), "a");
  EXPECT_EQ(emit(R"("rooms":["r1"],"except":["nobody"])"), "ab");
}

TEST(EmitOverload, ToARoomWhoseHomeTakesNoMore_IsRefused) {
  World world(2);
  const std::string room = world.name_at(1, "room");
  Client& reader = world.join(1);
  reader.subscribe(room);
  reader.read();
  size_t taken = 0;
  size_t refused = 0;
  for (int i = 0; i < 5'000; ++i) {
    Selection to;
    to.channels = {room};
    const Reason reason =
        world.shard(0).sio.emitter->emit({.name = "e", .list = "[1]", .attachments = {}}, std::move(to));
    ++(reason == Reason::kNone ? taken : refused);
    EXPECT_TRUE(reason == Reason::kNone || reason == Reason::kApiOverCapacity);
  }
  world.pump();
  EXPECT_GT(refused, 0U);
  EXPECT_EQ(reader.read().size(), taken) << "what was not refused has come";
}

TEST_P(Emit, WithoutASelection_EverybodyOfTheNamespaceGetsIt) {
  c.connect("/custom");
  EXPECT_EQ(emit(""), "abc");
  EXPECT_EQ(world.post("emit", R"({"event":"e","namespace":"/custom"})"), "{}");
  EXPECT_THAT(c.read(), ElementsAre(R"(42/custom,["e"])"));
  EXPECT_EQ(receivers(), "");
}

TEST_P(Emit, Sockets_AreAddedToRooms) {
  rooms();
  EXPECT_EQ(emit(R"("sockets":[")" + c.id() + "\"]"), "c");
  EXPECT_EQ(emit(R"("sockets":[")" + c.id() + R"(",")" + b.id() + R"("],"rooms":["r1"])"), "abc");
  EXPECT_EQ(emit(R"("sockets":[")" + c.id() + R"("],"except":["r2"])"), "");
  for (const std::string& id :
       {std::string("1.2"), std::string("nonsense"), hub::SocketId{1, 0xffff'0000'0001}.compact_text(),
        hub::SocketId{2, 1}.compact_text(), hub::SocketId{99, 1}.compact_text()}) {
    EXPECT_EQ(emit(R"("sockets":[")" + id + "\"]"), "") << id;
  }
}

TEST_P(Emit, Users_AreThoseWhoSignedIn) {
  a.sign_in(R"({"id":"u"})");
  b.sign_in(R"({"id":"u"})");
  c.sign_in(R"({"id":"v"})");
  receivers();
  EXPECT_EQ(emit(R"("users":["u"])"), "ab");
  EXPECT_EQ(emit(R"("users":["u","v"],"except":[")" + a.id() + "\"]"), "bc");
  EXPECT_EQ(emit(R"("users":["nobody"])"), "");
}

TEST_P(Emit, SocketOfAnotherNamespace_IsNotMeant) {
  b.connect("/plain");
  b.subscribe("r1", "/plain");
  a.subscribe("r1");
  EXPECT_EQ(emit(R"("rooms":["r1","r2"])"), "a");
  EXPECT_EQ(emit(R"("sockets":[")" + b.id("/plain") + "\"]"), "");
  EXPECT_EQ(world.post("emit", R"({"event":"e","namespace":"/plain","rooms":["r1","r2"]})"), "{}");
  EXPECT_EQ(receivers(), "b");
}

TEST_P(Emit, ReadersOfTheOtherProtocol_GetItOncePerChannel) {
  rooms();
  Reader& reader = world.reader(1, "r1");
  Reader& both = world.reader(0, "r1");
  world.shard(0).hub.join(both, "r2");
  world.pump();
  EXPECT_EQ(emit(R"("rooms":["r1","r2"])"), "abc");
  EXPECT_THAT(reader.read(), ElementsAre(reader_text("r1", "e", R"("1")")));
  EXPECT_THAT(both.read(), UnorderedElementsAre(reader_text("r1", "e", R"("1")"), reader_text("r2", "e", R"("1")")));
  EXPECT_EQ(emit(R"("rooms":["r1"],"except":["r2"])"), "b");
  EXPECT_THAT(reader.read(), ElementsAre(reader_text("r1", "e", R"("1")")));
  EXPECT_THAT(both.read(), IsEmpty());
  EXPECT_EQ(emit(R"("rooms":["r1"],"except":[")" + reader.socket_id().text() + "\"]"), "ab");
  EXPECT_THAT(reader.read(), IsEmpty());
  EXPECT_EQ(emit(""), "abc");
  EXPECT_THAT(reader.read(), IsEmpty());
}

// --- refusals

TEST_P(Emit, BrokenRequests_AreRefusedByTheirRow) {
  const auto refused = [&](std::string_view body) { return world.post("emit", body); };
  EXPECT_EQ(refused("no json"), "<refused " + std::string(reason_row(Reason::kApiBodyInvalid).id) + ">");
  EXPECT_EQ(refused("[]"), refused("no json"));
  EXPECT_EQ(refused(R"({"event":"e","args":{}})"), refused("no json"));
  EXPECT_EQ(refused(R"({"event":"e","rooms":7})"), refused("no json"));
  EXPECT_EQ(refused(R"({"event":"e","rooms":[7]})"), refused("no json"));
  EXPECT_EQ(refused(R"({"event":"e","args":[{"$binary":"*"}]})"), refused("no json"));
  EXPECT_EQ(refused(R"({"event":"e","args":[{"$binary":""},{"_placeholder":true,"num":9}]})"), refused("no json"));
  EXPECT_EQ(refused(R"({})"), "<refused " + std::string(reason_row(Reason::kApiEventNameInvalid).id) + ">");
  for (const char* name :
       {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}) {
    EXPECT_EQ(refused(R"({"event":")" + std::string(name) + R"("})"), "<refused event_name_reserved>");
  }
  EXPECT_EQ(refused(R"({"event":"e","namespace":"/nope"})"), "<refused socketio_namespace_invalid>");
  EXPECT_EQ(refused(R"({"event":"e","namespace":"/shop"})"), "<refused socketio_namespace_invalid>");
  EXPECT_EQ(refused(R"({"event":"e","rooms":["a\u0000"]})"),
            "<refused " + std::string(reason_row(Reason::kApiChannelInvalid).id) + ">");
  EXPECT_EQ(refused(R"({"event":"e","args":[")" + std::string(200'000, 'x') + R"("]})"),
            "<refused " + std::string(reason_row(Reason::kApiDataTooBig).id) + ">");
  std::string ten = R"({"$binary":"AQID"})";
  for (int i = 0; i < 9; ++i) ten += R"(,{"$binary":"AQID"})";
  EXPECT_EQ(refused(R"({"event":"e","args":[)" + ten + "]}"), "{}");
  EXPECT_EQ(refused(R"({"event":"e","args":[)" + ten + R"(,{"$binary":""}]})"),
            "<refused socketio_too_many_attachments>");
  EXPECT_EQ(world.call(0, "PUT", "emit", {}),
            "<refused " + std::string(reason_row(Reason::kHttpMethodNotAllowed).id) + ">");
  EXPECT_EQ(world.post("nothing", "{}"), "<refused " + std::string(reason_row(Reason::kHttpNotFound).id) + ">");
}

// --- volatile

TEST_P(Emit, Volatile_IsDroppedForThoseWhoAreNotReady) {
  EXPECT_EQ(emit(R"("volatile":true)"), "abc");
  a.say(R"(421["subscribe","c"])");  // its answer is not sent yet
  EXPECT_EQ(world.post("emit", R"({"event":"e","volatile":true})"), "{}");
  EXPECT_EQ(receivers(), "?bc");
}

TEST_P(Emit, VolatileToAPollingClient_NeedsAPollThatWaits) {
  Poller poller(world, 1);
  EXPECT_EQ(poller.post("40"), "ok");
  EXPECT_THAT(poller.get(), StartsWith("40{"));
  EXPECT_EQ(emit(R"("volatile":true)"), "abc");
  EXPECT_EQ(poller.get(), "<waiting>");
  EXPECT_EQ(emit(R"("volatile":true)"), "abc");
  EXPECT_EQ(poller.waiting(), R"(42["e",1])");
}

// --- acknowledgements

TEST_P(Emit, Acknowledgements_AreGathered) {
  EXPECT_EQ(world.post("emit", R"({"event":"e","args":[1],"ack_timeout_ms":1000})"), "<waiting>");
  std::string id;
  for (Client* client : {&a, &b, &c}) {
    const Log log = client->read();
    ASSERT_EQ(log.size(), 1U);
    const std::string asked = log[0].substr(2, log[0].find('[') - 2);
    if (id.empty()) id = asked;
    EXPECT_EQ(asked, id);
  }
  a.say("43" + id + R"(["A",2])");
  b.say("43" + id + "[]");
  EXPECT_EQ(world.answer_text(world.last_call()), "<waiting>");
  c.say("43" + id + R"([{"big":12345678901234567890}])");
  EXPECT_EQ(world.answer_text(world.last_call()),
            R"({"acks":["A",null,{"big":12345678901234567890}],"asked":3,"answered":3})");
}

TEST_P(Emit, SilentClients_AreWaitedForUntilTheTimeout) {
  EXPECT_EQ(world.post("emit", R"({"event":"e","ack_timeout_ms":1000})"), "<waiting>");
  const std::string text = b.read().at(0);
  b.say("43" + text.substr(2, text.find('[') - 2) + "[7]");
  b.say("43" + text.substr(2, text.find('[') - 2) + "[8]");  // the first counts
  world.pass(999);
  EXPECT_EQ(world.answer_text(world.last_call()), "<waiting>");
  world.pass(1);
  EXPECT_EQ(world.answer_text(world.last_call()), R"({"acks":[7],"asked":3,"answered":1})");
  const std::string late = c.read().at(0);
  c.say("43" + late.substr(2, late.find('[') - 2) + "[9]");
  expect_open(c);
  world.pass(5'000);
}

TEST_P(Emit, NobodyAsked_IsAnsweredAtOnce) {
  EXPECT_EQ(world.post("emit", R"({"event":"e","rooms":["nobody"],"ack_timeout_ms":1000})"),
            R"({"acks":[],"asked":0,"answered":0})");
}

TEST_P(Emit, ClientThatGoes_DoesNotBreakTheGathering) {
  EXPECT_EQ(world.post("emit", R"({"event":"e","rooms":[],"sockets":[")" + b.id() + R"(",")" + c.id() +
                                   R"("],"ack_timeout_ms":500})"),
            "<waiting>");
  b.drop();
  const std::string text = c.read().at(0);
  c.say("43" + text.substr(2, text.find('[') - 2) + "[1]");
  world.pass(500);
  EXPECT_EQ(world.answer_text(world.last_call()), R"({"acks":[1],"asked":2,"answered":1})");
}

TEST_P(Emit, StrangersAcknowledgement_IsIgnored) {
  EXPECT_EQ(world.post("emit", R"({"event":"e","sockets":[")" + b.id() + R"("],"ack_timeout_ms":500})"), "<waiting>");
  const std::string text = b.read().at(0);
  const std::string id = text.substr(2, text.find('[') - 2);
  c.say("43" + id + R"(["not mine"])");
  EXPECT_EQ(world.answer_text(world.last_call()), "<waiting>");
  b.say("461-" + id + R"([{"_placeholder":true,"num":0}])");
  b.say_binary("\x01\x02\x03");
  EXPECT_EQ(world.answer_text(world.last_call()), R"({"acks":[{"$binary":"AQID"}],"asked":1,"answered":1})");
}

TEST_P(Emit, AskedFromTheOtherShard_TheAnswerGoesThere) {
  EXPECT_EQ(world.call(1, "POST", "emit", R"({"event":"e","sockets":[")" + a.id() + R"("],"ack_timeout_ms":500})"),
            "<waiting>");
  const std::string text = a.read().at(0);
  a.say("43" + text.substr(2, text.find('[') - 2) + "[true]");
  EXPECT_EQ(world.answer_text(world.last_call()), R"({"acks":[true],"asked":1,"answered":1})");
}

// --- operations

TEST_P(Emit, JoinAndLeave_MoveSocketsWithoutTheirDoing) {
  rooms();
  EXPECT_EQ(world.post("join", R"({"to":["x","private-y"],"rooms":["r2"]})"), R"({"sockets":2})");
  EXPECT_EQ(emit(R"("rooms":["private-y"])"), "ac");
  EXPECT_EQ(world.post("leave", R"({"to":["x"],"sockets":[")" + a.id() + "\"]}"), R"({"sockets":1})");
  EXPECT_EQ(emit(R"("rooms":["x"])"), "c");
  EXPECT_EQ(world.post("join", R"({"to":"all"})"), R"({"sockets":3})");
  EXPECT_EQ(emit(R"("rooms":["all"])"), "abc");
}

TEST_P(Emit, RoomsThatNobodyMayBePutInto_AreRefused) {
  for (const char* room : {"presence-x", "#server-to-user-u", "#x", ""}) {
    EXPECT_THAT(world.post("join", R"({"to":[")" + std::string(room) + "\"]}"), StartsWith("<refused ")) << room;
  }
  EXPECT_THAT(world.post("join", R"({"to":[]})"), StartsWith("<refused "));
  EXPECT_THAT(world.post("join", "{}"), StartsWith("<refused "));
  EXPECT_THAT(world.post("join", R"({"to":[")" + std::string(201, 'x') + "\"]}"), StartsWith("<refused "));
}

TEST_P(Emit, Disconnect_EndsTheNamespaceOrTheConnection) {
  b.connect("/custom");
  EXPECT_EQ(world.post("disconnect", R"({"sockets":[")" + b.id() + "\"]}"), R"({"sockets":1})");
  EXPECT_THAT(b.read(), ElementsAre("41"));
  EXPECT_THAT(b.subscribe("x", "/custom"), ElementsAre(HasSubstr("\"ok\":true")));
  EXPECT_EQ(world.post("disconnect", R"({"sockets":[")" + c.id() + R"("],"close":true})"), R"({"sockets":1})");
  expect_finished(c, Reason::kTerminatedByApi);
  EXPECT_THAT(c.read(), ElementsAre("41", "<close 1005>"));
  EXPECT_EQ(world.post("disconnect", R"({"namespace":"/custom","close":true})"), R"({"sockets":1})");
  EXPECT_THAT(b.read(), ElementsAre("41/custom,", "<close 1005>"));
  expect_open(a);
}

TEST_P(Emit, DisconnectOfAPollingClient_ComesWithItsPoll) {
  Poller poller(world, 1);
  EXPECT_EQ(poller.post("40\x1e"
                        R"(42["subscribe","p"])"),
            "ok");
  EXPECT_THAT(poller.get(), StartsWith("40{"));
  EXPECT_EQ(world.post("disconnect", R"({"rooms":["p"],"close":true})"), R"({"sockets":1})");
  EXPECT_EQ(poller.get(), "41");
  EXPECT_EQ(poller.get(), "1");
  expect_gone(poller);
}

TEST_P(Emit, Lists_TellWhoIsThere) {
  rooms();
  b.sign_in(R"({"id":"u"})");
  world.pass(1'000);
  EXPECT_EQ(world.call(1, "GET", "count?namespace=/"), R"({"connected":3})");
  EXPECT_EQ(world.call(0, "GET", "count?namespace=/custom"), R"({"connected":0})");
  EXPECT_EQ(world.call(0, "GET", "rooms"), R"({"rooms":{"r1":2,"r2":2}})");
  EXPECT_EQ(world.call(1, "GET", "sockets?room=r1").find(c.id()), std::string::npos);
  EXPECT_THAT(
      world.call(1, "GET", "sockets?room=r1"),
      HasSubstr(
          R"({"id":")" + b.id() +
          R"(","rooms":["r1"],"user_id":"u","transport":"websocket","address":"192.0.2.7","connected_ms":1000})"));
  EXPECT_EQ(world.call(0, "GET", "users/u"), R"({"online":true,"sockets":1})");
  EXPECT_EQ(world.call(0, "GET", "users/nobody"), R"({"online":false,"sockets":0})");
  EXPECT_THAT(world.call(0, "GET", "nothing"), StartsWith("<refused "));
}

TEST_P(Emit, ListsOfAScope_HaveTheNamesOfItsRooms) {
  Poller poller(world, 1);
  EXPECT_EQ(poller.post("40/custom,\x1e"
                        R"(42/custom,["subscribe","c"])"),
            "ok");
  EXPECT_EQ(world.call(0, "GET", "rooms?namespace=%2Fcustom"), R"({"rooms":{"c":1}})");
  EXPECT_THAT(world.call(0, "GET", "sockets?namespace=/custom&room=c"),
              AllOf(HasSubstr(R"("rooms":["c"])"), HasSubstr(R"("transport":"polling","address":"192.0.2.8")")));
  EXPECT_EQ(world.call(0, "GET", "count?namespace=/shop"), "<refused socketio_namespace_invalid>");
  EXPECT_EQ(world.call(0, "GET", "count?namespace=/shop", {}, 1), R"({"connected":0})");
}

TEST_P(Emit, Status_IsWrittenIntoWhatIsAround) {
  world.shard(1).sio.emitter->ask_count(77, R"({"clients":)", "}");
  world.pump();
  EXPECT_EQ(world.shard(1).answers.at(77).body, R"({"clients":3})");
}

}  // namespace
}  // namespace kilat::socketio::testing
