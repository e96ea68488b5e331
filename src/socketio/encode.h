// Publications as Socket.IO packets. Owner: one shard; its memory is reused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hub/publication.h"
#include "socketio/content.h"
#include "socketio/options.h"
#include "ws/deflate.h"

namespace kilat::socketio {

inline constexpr hub::Format kSharedFormat = 5;  ///< readers of the namespace `/` without anything of their own
inline constexpr hub::Format kOwnFormat = 6;     ///< all others: see Shard::frame_for

struct EncodeOptions {
  std::string_view offset = {};      ///< recovery: added as the last argument
  bool position = false;             ///< of the event in the history of its channel: added before that
  ws::Deflater* deflater = nullptr;  ///< permessage-deflate without context
};

class PublicationEncoder {
 public:
  explicit PublicationEncoder(ContentParser& parser) : parser_(parser) {}

  /// The packet with its attachments, as WebSocket frames one behind the other. Empty for what Socket.IO has no event
  /// for.
  net::FramePtr frame(const hub::Publication& publication, const Namespace& nsp, const EncodeOptions& options = {});
  /// The same with an id: the client is asked for an acknowledgement.
  net::FramePtr asking_frame(const hub::Publication& publication, const Namespace& nsp, uint64_t id);

 private:
  net::FramePtr encode(const hub::Publication& publication, const Namespace& nsp, std::optional<uint64_t> id,
                       const EncodeOptions& options);
  void append_event(const hub::Publication& publication, const Namespace& nsp, std::string_view list);
  net::FramePtr finish(const Unpacked& content, ws::Deflater* deflater);

  ContentParser& parser_;
  std::string text_;
};

}  // namespace kilat::socketio
