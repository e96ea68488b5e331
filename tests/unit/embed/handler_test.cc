#include "kilat/handler.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "kilat/socket.h"

namespace kilat::io {
namespace {

Args args_of(const char* list) {
  return Args({.values = json::parse(list).as_array(), .attachments = {}});
}

void call(const EventHandler& handler, const char* list) {
  handler(Socket(), args_of(list), Ack());
}

int free_sum = 0;
void add_freely(int a, int b) {
  free_sum = a + b;
}

TEST(Handler, TypedParameters_AreTakenInOrder) {
  std::string seen;
  const auto handler = detail::handler_of([&seen](std::string text, int number, std::vector<int> list) {
    seen = text + std::to_string(number) + std::to_string(list.size());
  });
  call(handler, R"(["a", 7, [1, 2]])");
  EXPECT_EQ(seen, "a72");
}

TEST(Handler, SocketArgsAndAck_TakeNoArgument) {
  int seen = 0;
  const auto handler = detail::handler_of([&seen](const Socket& socket, int number, const Args& args, Ack ack) {
    seen = number + static_cast<int>(args.size()) + (ack ? 100 : 0) + (socket.connected() ? 100 : 0);
  });
  call(handler, "[5, 6]");
  EXPECT_EQ(seen, 7);
}

TEST(Handler, FreeFunctionAndNoParameters_AreTaken) {
  call(detail::handler_of(&add_freely), "[2, 3]");
  EXPECT_EQ(free_sum, 5);
  bool called = false;
  call(detail::handler_of([&called] { called = true; }), "[1]");
  EXPECT_TRUE(called);
}

TEST(Handler, ArgumentOfAnotherTypeOrMissing_Throws) {
  const auto handler = detail::handler_of([](int) {});
  EXPECT_ANY_THROW(call(handler, R"(["text"])"));
  EXPECT_ANY_THROW(call(handler, "[]"));
  EXPECT_ANY_THROW(call(detail::handler_of([](Bytes) {}), "[1]"));
}

TEST(Handler, JsonValue_TakesAnything) {
  json::value seen;
  const auto handler = detail::handler_of([&seen](json::value value) { seen = std::move(value); });
  call(handler, R"([{"a": 1}])");
  EXPECT_EQ(seen.at("a").as_int64(), 1);
  call(handler, "[]");
  EXPECT_TRUE(seen.is_null());
}

TEST(Handle, OfNobody_DoesNothing) {
  const Socket nobody;
  EXPECT_FALSE(nobody.connected());
  EXPECT_FALSE(nobody.emit("x", 1));
  EXPECT_FALSE(nobody.emit("x", [](const Reply&) {}));
  EXPECT_FALSE(nobody.join("a"));
  EXPECT_FALSE(nobody.to("a").emit("x"));
  EXPECT_FALSE(nobody.disconnect());
  EXPECT_FALSE(nobody.post([] {}));
  EXPECT_EQ(nobody.id(), "");
  EXPECT_FALSE(nobody.data().has_value());
  nobody.on("x", [] {});
  EXPECT_FALSE(Ack()(1));
}

}  // namespace
}  // namespace kilat::io
