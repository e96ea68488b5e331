// The frames a Pusher server sends (docs/protocol.md), as whole WebSocket text frames. Pure functions, for any thread;
// PublicationEncoder belongs to one shard.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/reason.h"
#include "hub/command.h"
#include "net/frame.h"
#include "ws/deflate.h"

namespace kilat::pusher {

/// One text frame around `json`.
net::FramePtr text_frame(std::string_view json);

net::FramePtr connection_established(std::string_view socket_id, uint32_t activity_timeout_s);

/// `pusher:error` with the row's code and text; `detail` replaces the text, `channel` is added when not empty.
net::FramePtr error_frame(Reason reason, std::string_view detail = {}, std::string_view channel = {});

/// `pusher:error` (where the row has one) and the close frame with the row's code, in one.
net::FramePtr closing_frames(Reason reason);

/// A close frame that answers the client's.
net::FramePtr close_frame(uint16_t code, std::string_view text);

// One frame of each for the whole process: every connection sends the same bytes.
net::FramePtr ping_event();
net::FramePtr pong_event();
net::FramePtr ping_frame();

net::FramePtr pong_frame(std::string_view payload);

/// `alone`: of a presence channel only the joiner is shown. Who asked for positions is told where it is, and whether it
/// gets what it missed (docs/history.md).
net::FramePtr subscription_succeeded(const hub::JoinReply& reply, bool alone = false);
net::FramePtr subscription_succeeded(std::string_view channel);

/// `pusher:subscription_error` with the shape and numbers of docs/protocol.md.
net::FramePtr subscription_error(Reason reason, std::string_view channel);

net::FramePtr cache_miss(std::string_view channel);

/// `user_data` is the client's own text, echoed.
net::FramePtr signin_success(std::string_view user_data);

/// `kilat:token_expiring`: the client may sign in again with a fresh token.
net::FramePtr token_expiring(uint64_t left_s);

/// `kilat:missed`: so many events of the channel gave way to newer ones, because the client was behind (docs/flow.md).
net::FramePtr missed_events(std::string_view channel, uint64_t count);

/// `pusher_internal:watchlist_events`; an empty list is left out, at least one must have entries.
net::FramePtr watchlist_events(std::span<const std::string> online, std::span<const std::string> offline);

/// Makes the frames of publications. Its memory is reused, so that an event allocates its frame and nothing else.
/// Owner: one shard. Bound: what it keeps between two events is kKeptBytesMax for each of its two texts.
class PublicationEncoder {
 public:
  static constexpr size_t kKeptBytesMax = 256 * 1024;

  /// A publication as a text frame, compressed where `deflater` is given, is able to, and it is worth it.
  /// `offset`: with the event's place in the history of its channel, if it has one.
  net::FramePtr frame(const hub::Publication& publication, ws::Deflater* deflater, bool offset = false);

 private:
  net::FramePtr make_frame(ws::Deflater* deflater);

  std::string json_;
  std::string compressed_;
};

/// The JSON text of a publication as channel readers see it.
std::string publication_json(const hub::Publication& publication);

}  // namespace kilat::pusher
