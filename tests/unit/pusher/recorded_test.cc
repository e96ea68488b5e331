// Whole sessions of real clients, cut at every place: the answers are the same.
#include "unit/fixtures/recorded.h"

#include "pusher/formats.h"
#include "unit/pusher/session_test.h"

namespace kilat::pusher::testing {
namespace {

using kilat::testing::Recorded;
using kilat::testing::recorded_sessions;

struct RecordedSession : SessionTest {};
KILAT_SESSION_TEST(RecordedSession);

// The recorded signatures are right for the socket id of their time only.
SessionOptions options_of(const Recorded& session) {
  const size_t dot = session.socket_id.find('.');
  SessionOptions options{.socket_id = {static_cast<uint32_t>(std::stoul(session.socket_id.substr(0, dot))),
                                       std::stoull(session.socket_id.substr(dot + 1))}};
  if (!session.extensions.empty()) {
    options.deflate = true;
    options.format = kDeflatedFormat;
  }
  return options;
}

Log run(hub::ShardIndex shards, const Recorded& session, size_t first, size_t step) {
  World world(shards);
  Client& client = world.open(1, options_of(session));
  const std::string_view bytes = session.frames();
  for (size_t at = 0; at < bytes.size();) {
    const size_t size = at == 0 ? first : step;
    client.feed(bytes.substr(at, size));
    at += std::min(size, bytes.size() - at);
  }
  world.pump();
  Log log = client.read();
  EXPECT_EQ(client.finished(), Reason::kClientClosed) << session.name;
  return log;
}

TEST_P(RecordedSession, OfRealClients_IsAnsweredTheSameHoweverItIsCut) {
  for (const Recorded& session : recorded_sessions()) {
    if (!session.upgraded()) continue;
    const size_t size = session.frames().size();
    const Log whole = run(shards(), session, size, size);
    EXPECT_EQ(run(shards(), session, 1, 1), whole) << session.name;
    for (size_t at = 1; at < size; ++at) {
      ASSERT_EQ(run(shards(), session, at, size), whole) << session.name << " cut at " << at;
    }
  }
}

TEST_P(RecordedSession, OfRealClients_IsTaken) {
  if (shards() > 1) GTEST_SKIP() << "there the homes' answers come after the client has closed";
  for (const Recorded& session : recorded_sessions()) {
    if (!session.upgraded()) continue;
    const Log log = run(1, session, 3, 7);
    EXPECT_THAT(log, ::testing::Contains(HasSubstr("subscription_succeeded")).Times(::testing::Ge(3))) << session.name;
    EXPECT_THAT(log, ::testing::Not(::testing::Contains(HasSubstr("auth_invalid")))) << session.name;
    EXPECT_THAT(log.back(), ::testing::StartsWith("<close ")) << session.name;
  }
}

}  // namespace
}  // namespace kilat::pusher::testing
