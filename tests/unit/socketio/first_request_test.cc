#include "socketio/first_request.h"

#include "unit/socketio/socketio_test.h"

namespace kilat::socketio::testing {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

TEST(FirstRequest, OfAnyRequest_KeepsTargetAndHeadersInTheirOrder) {
  const WireRequest wire("GET", "/socket.io/?EIO=4&a=%20?", {}, "X-A: 1:2\r\nx-a:  two words \r\nX-Empty:\r\n");
  const FirstRequest request(wire.get());
  EXPECT_EQ(request.url(), "/socket.io/?EIO=4&a=%20?");
  EXPECT_EQ(request.query(), "EIO=4&a=%20?");
  EXPECT_EQ(request.headers(), (Headers{{"Host", "x"}, {"X-A", "1:2"}, {"x-a", "two words"}, {"X-Empty", ""}}));
}

TEST(FirstRequest, WithoutAQuery_HasAnEmptyOne) {
  const WireRequest wire("GET", "/", {}, {});
  const FirstRequest request(wire.get());
  EXPECT_EQ(request.url(), "/");
  EXPECT_EQ(request.query(), "");
  EXPECT_EQ(request.headers(), (Headers{{"Host", "x"}}));
}

struct SessionOf : SocketIoTest {};

// A client that comes back on another shard than its socket moves there; its request goes with it.
TEST_P(SessionOf, AClientWhoMoves_KeepsItsRequest) {
  World::Setup setup;
  setup.options.recovery_ms = 3'000;
  World world{shards(), setup};
  Client& client = world.open(0);
  const std::string answer = client.connect().at(0);
  const size_t pid = answer.find("\"pid\":\"") + 7;
  client.drop();
  const WireRequest wire("GET", "/socket.io/?EIO=4&transport=websocket&n=2", {}, {});
  const auto request = std::make_shared<const FirstRequest>(wire.get());
  Client& back = world.open(1, {}, {}, false, request);
  const std::string sid = back.read().at(0).substr(9, 20);
  back.say("40{\"pid\":\"" + answer.substr(pid, 20) + "\"}");
  EXPECT_THAT(back.read(), ElementsAre(answer)) << "the socket it had";
  const Session* session = world.shard(0).sio.find_session(sid);
  ASSERT_NE(session, nullptr);
  EXPECT_EQ(session->client().request, request);
}

KILAT_SOCKETIO_TEST(SessionOf);

}  // namespace
}  // namespace kilat::socketio::testing
