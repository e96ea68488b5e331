#include "socketio/encode.h"

#include "base/json_text.h"
#include "socketio/packet.h"
#include "ws/frame.h"

namespace kilat::socketio {
namespace {

constexpr size_t kKeptBytesMax = 64 * 1024;
constexpr size_t kDeflateBytesMin = 64;

using Kind = hub::Publication::Kind;

bool has_event(Kind kind) {
  return kind == Kind::kEvent || kind == Kind::kMemberAdded || kind == Kind::kMemberRemoved;
}

}  // namespace

net::FramePtr PublicationEncoder::frame(const hub::Publication& publication, const Namespace& nsp,
                                        const EncodeOptions& options) {
  if (!has_event(publication.kind())) return net::FramePtr::make({});
  return encode(publication, nsp, {}, options);
}

net::FramePtr PublicationEncoder::asking_frame(const hub::Publication& publication, const Namespace& nsp, uint64_t id) {
  return encode(publication, nsp, id, {});
}

net::FramePtr PublicationEncoder::encode(const hub::Publication& publication, const Namespace& nsp,
                                         std::optional<uint64_t> id, const EncodeOptions& options) {
  const Unpacked content = publication.packet().empty() ? Unpacked{} : unpack(publication.packet());
  const auto attachments = static_cast<uint32_t>(content.attachments.size());
  text_ = packet_head(attachments > 0 ? Packet::Type::kBinaryEvent : Packet::Type::kEvent, nsp.name, id, attachments);
  append_event(publication, nsp, content.arguments);
  if (options.position) {
    text_ += R"(,{"channel":)";
    append_json_string(text_, room_of(publication.channel(), nsp.scope));
    text_ += R"(,"offset":)";
    append_json_number(text_, publication.number());
    text_ += '}';
  }
  if (!options.offset.empty()) {
    text_ += R"(,")";
    text_ += options.offset;
    text_ += '"';
  }
  text_ += ']';
  return finish(content, options.deflater);
}

// The list of name and arguments, without its end. `list`: the arguments that came with a packet; empty: only data.
void PublicationEncoder::append_event(const hub::Publication& publication, const Namespace& nsp,
                                      std::string_view list) {
  text_ += '[';
  if (publication.kind() != Kind::kEvent) {
    const bool added = publication.kind() == Kind::kMemberAdded;
    text_ += added ? R"("member_added",{"channel":)" : R"("member_removed",{"channel":)";
    append_json_string(text_, room_of(publication.channel(), nsp.scope));
    text_ += R"(,"user_id":)";
    append_json_string(text_, publication.user_id());
    if (added && !publication.data().empty()) {
      text_ += R"(,"user_info":)";
      text_ += publication.data();
    }
    text_ += '}';
    return;
  }
  append_json_string(text_, publication.event());
  if (list.empty()) {
    text_ += ',';
    return parser_.append_argument(text_, publication.data());
  }
  const std::string_view arguments = list.substr(1, list.size() - 2);
  if (arguments.find_first_not_of(" \t\r\n") == std::string_view::npos) return;
  text_ += ',';
  text_ += arguments;
}

net::FramePtr PublicationEncoder::finish(const Unpacked& content, ws::Deflater* deflater) {
  char header[ws::kFrameHeaderMax];
  net::FramePtr frame;
  std::string compressed;
  const bool deflated = deflater != nullptr && text_.size() >= kDeflateBytesMin && deflater->deflate(text_, compressed);
  const std::string_view body = deflated ? std::string_view(compressed) : std::string_view(text_);
  const size_t size = ws::encode_frame_header(header, ws::Opcode::kText, body.size(), deflated);
  if (content.attachments.empty()) {
    frame = net::FramePtr::make({header, size}, body);
  } else {
    std::string bytes(header, size);
    bytes += body;
    for (const std::string_view attachment : content.attachments) {
      bytes += ws::encode_frame(ws::Opcode::kBinary, attachment);
    }
    frame = net::FramePtr::make(bytes);
  }
  if (text_.capacity() > kKeptBytesMax) text_ = {};
  return frame;
}

}  // namespace kilat::socketio
