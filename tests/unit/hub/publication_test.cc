#include "hub/publication.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace kilat::hub {
namespace {

class CountingEncoder final : public Encoder {
 public:
  net::FramePtr encode(const Publication& publication, Format format) override {
    ++calls;
    return net::FramePtr::make(std::to_string(format) + ":", publication.data());
  }
  std::atomic<uint32_t> calls = 0;
};

TEST(Publication, Texts_AreCopiedAndKeptApart) {
  PublicationPtr publication;
  {
    const std::string channel = "channel";
    const std::string event = "event name";
    const std::string data = std::string("{\"zero\":\"\0\"}", 12);
    publication = Publication::make({.kind = Publication::Kind::kMemberAdded,
                                     .from_client = true,
                                     .app = 3,
                                     .reason = Reason::kTerminatedByApi,
                                     .channel = channel,
                                     .event = event,
                                     .data = data,
                                     .user_id = "me",
                                     .exclude = {4, 5},
                                     .number = 6});
  }
  EXPECT_EQ(publication->kind(), Publication::Kind::kMemberAdded);
  EXPECT_TRUE(publication->from_client());
  EXPECT_EQ(publication->app(), 3U);
  EXPECT_EQ(publication->reason(), Reason::kTerminatedByApi);
  EXPECT_EQ(publication->channel(), "channel");
  EXPECT_EQ(publication->event(), "event name");
  EXPECT_EQ(publication->data(), std::string_view("{\"zero\":\"\0\"}", 12));
  EXPECT_EQ(publication->user_id(), "me");
  EXPECT_EQ(publication->exclude(), (SocketId{4, 5}));
  EXPECT_EQ(publication->number(), 6U);
}

TEST(Publication, WithoutTexts_HasEmptyOnes) {
  const PublicationPtr publication = Publication::make({});
  EXPECT_EQ(publication->channel(), "");
  EXPECT_EQ(publication->event(), "");
  EXPECT_EQ(publication->data(), "");
  EXPECT_EQ(publication->user_id(), "");
  EXPECT_FALSE(static_cast<bool>(publication->exclude()));
}

TEST(Publication, Frame_IsEncodedOncePerFormatAndOnlyWhenAskedFor) {
  CountingEncoder encoder;
  const PublicationPtr publication = Publication::make({.channel = "c", .data = "payload"});
  EXPECT_EQ(encoder.calls, 0U);
  net::Frame* frame = publication->frame(1, encoder);
  EXPECT_EQ(frame->bytes(), "1:payload");
  EXPECT_EQ(publication->frame(1, encoder), frame);
  EXPECT_EQ(encoder.calls, 1U);
  EXPECT_EQ(publication->frame(0, encoder)->bytes(), "0:payload");
  EXPECT_EQ(publication->frame(kFormatsMax - 1, encoder)->bytes(), std::to_string(kFormatsMax - 1) + ":payload");
  EXPECT_EQ(encoder.calls, 3U);
}

TEST(Publication, FrameHandedOn_OutlivesThePublication) {
  CountingEncoder encoder;
  PublicationPtr publication = Publication::make({.data = "payload"});
  net::Frame* frame = publication->frame(2, encoder);
  frame->retain(2);
  publication = {};
  EXPECT_EQ(frame->bytes(), "2:payload");
  frame->release();
  frame->release();
}

TEST(Publication, CopiesAndMoves_KeepItAliveUntilTheLast) {
  PublicationPtr first = Publication::make({.channel = "c"});
  PublicationPtr second = first;
  const PublicationPtr third = std::move(first);
  EXPECT_FALSE(first);
  second = {};
  EXPECT_EQ(third->channel(), "c");
}

TEST(Publication, EncodedByManyThreadsAtOnce_IsTheSameFrameForAll) {
  for (int round = 0; round < 200; ++round) {
    CountingEncoder encoder;
    const PublicationPtr publication = Publication::make({.data = "payload"});
    std::vector<net::Frame*> frames(3);
    std::vector<std::thread> threads;
    for (net::Frame*& frame : frames) {
      threads.emplace_back([&, own = publication] { frame = own->frame(0, encoder); });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(frames[0], frames[1]);
    EXPECT_EQ(frames[1], frames[2]);
    EXPECT_EQ(frames[0]->bytes(), "0:payload");
  }
}

}  // namespace
}  // namespace kilat::hub
