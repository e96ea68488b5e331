#include "pusher/encode.h"

#include "base/json_text.h"
#include "pusher/formats.h"
#include "ws/frame.h"

namespace kilat::pusher {
namespace {

// {"event":"<event>","channel":"<channel>","data":"<inner, escaped>"}: internal events carry JSON inside a string.
net::FramePtr internal_event(std::string_view event, std::string_view channel, std::string_view inner) {
  std::string json;
  json.reserve(64 + event.size() + channel.size() + inner.size() + inner.size() / 4);
  json += R"({"event":")";
  json += event;
  json += '"';
  if (!channel.empty()) {
    json += R"(,"channel":)";
    append_json_string(json, channel);
  }
  json += R"(,"data":)";
  append_json_string(json, inner);
  json += '}';
  return text_frame(json);
}

std::string error_json(Reason reason, std::string_view detail, std::string_view channel) {
  const ReasonRow& row = reason_row(reason);
  std::string json = R"({"event":"pusher:error",)";
  if (!channel.empty()) {
    json += R"("channel":)";
    append_json_string(json, channel);
    json += ',';
  }
  json += R"("data":{"code":)";
  json += row.pusher_code == kNullPusherCode ? "null" : std::to_string(row.pusher_code);
  json += R"(,"message":)";
  append_json_string(json, detail.empty() ? row.text : detail);
  json += R"(,"reason":")";
  json += row.id;
  json += R"("}})";
  return json;
}

// "presence":{…}
std::string presence_json(const hub::MemberList& members) {
  std::string ids;
  std::string hash;
  for (const hub::Member& member : members) {
    if (!ids.empty()) {
      ids += ',';
      hash += ',';
    }
    append_json_string(ids, member.user_id);
    append_json_string(hash, member.user_id);
    hash += ':';
    hash += member.info.empty() ? "{}" : member.info;
  }
  std::string json = R"("presence":{"ids":[)";
  json += ids;
  json += R"(],"hash":{)";
  json += hash;
  json += R"(},"count":)";
  append_json_number(json, members.size());
  json += '}';
  return json;
}

// The type and status that SDKs and Echo's error callbacks know for a refused subscription (docs/protocol.md).
struct SubscriptionRefusal {
  std::string_view type;
  int status;
};

SubscriptionRefusal refusal_of(Reason reason) {
  switch (reason) {
    case Reason::kChannelNameTooLong: return {"LimitReached", 4009};
    case Reason::kPresenceChannelFull:
    case Reason::kTooManySubscriptions: return {"LimitReached", 4100};
    case Reason::kPresenceMemberTooBig: return {"LimitReached", 4301};
    case Reason::kChannelNameInvalid: return {"ChannelNameInvalid", 4009};
    case Reason::kRuleRefused:
    case Reason::kBackendRefused:
    case Reason::kHandlerRefused: return {"AuthError", 403};
    case Reason::kBackendUnavailable: return {"AuthError", 503};
    default: return {"AuthError", 401};
  }
}

net::FramePtr control_frame(ws::Opcode opcode, std::string_view payload) {
  char header[ws::kFrameHeaderMax];
  const size_t size = ws::encode_frame_header(header, opcode, payload.size());
  return net::FramePtr::make({header, size}, payload);
}

void append_string_list(std::string& out, std::span<const std::string> texts) {
  out += '[';
  for (const std::string& text : texts) {
    if (out.back() != '[') out += ',';
    append_json_string(out, text);
  }
  out += ']';
}

void append_publication_json(std::string& json, const hub::Publication& publication, bool offset) {
  using Kind = hub::Publication::Kind;
  json.reserve(64 + publication.event().size() + publication.channel().size() + publication.data().size());
  json += R"({"event":)";
  std::string inner;
  switch (publication.kind()) {
    case Kind::kMemberAdded: json += R"("pusher_internal:member_added")"; break;
    case Kind::kMemberRemoved: json += R"("pusher_internal:member_removed")"; break;
    case Kind::kSubscriptionCount: json += R"("pusher_internal:subscription_count")"; break;
    default: append_json_string(json, publication.event());
  }
  json += R"(,"channel":)";
  append_json_string(json, publication.channel());
  json += R"(,"data":)";
  if (publication.kind() == Kind::kEvent) {
    json += publication.data();
    if (!publication.user_id().empty()) {
      json += R"(,"user_id":)";
      append_json_string(json, publication.user_id());
    }
    if (offset && publication.number() != 0) {
      json += R"(,"offset":)";
      append_json_number(json, publication.number());
    }
  } else if (publication.kind() == Kind::kSubscriptionCount) {
    append_json_string(json, R"({"subscription_count":)" + std::to_string(publication.number()) + "}");
  } else {
    inner = R"({"user_id":)" + json_string(publication.user_id());
    if (publication.kind() == Kind::kMemberAdded && !publication.data().empty()) {
      inner += R"(,"user_info":)";
      inner += publication.data();
    }
    inner += '}';
    append_json_string(json, inner);
  }
  json += '}';
}

}  // namespace

net::FramePtr text_frame(std::string_view json) {
  char header[ws::kFrameHeaderMax];
  const size_t size = ws::encode_frame_header(header, ws::Opcode::kText, json.size());
  return net::FramePtr::make({header, size}, json);
}

net::FramePtr connection_established(std::string_view socket_id, uint32_t activity_timeout_s) {
  std::string inner = R"({"socket_id":")";
  inner += socket_id;
  inner += R"(","activity_timeout":)";
  append_json_number(inner, activity_timeout_s);
  inner += '}';
  return internal_event("pusher:connection_established", {}, inner);
}

net::FramePtr error_frame(Reason reason, std::string_view detail, std::string_view channel) {
  return text_frame(error_json(reason, detail, channel));
}

net::FramePtr closing_frames(Reason reason) {
  const ReasonRow& row = reason_row(reason);
  std::string bytes;
  if (row.pusher_code != kNoPusherCode) bytes += ws::encode_frame(ws::Opcode::kText, error_json(reason, {}, {}));
  bytes += ws::encode_close(row.close_code != 0 ? row.close_code : uint16_t{1011}, row.text);
  return net::FramePtr::make(bytes);
}

net::FramePtr close_frame(uint16_t code, std::string_view text) {
  return net::FramePtr::make(code == ws::kCloseNoStatus ? ws::encode_frame(ws::Opcode::kClose, {})
                                                        : ws::encode_close(code, text));
}

net::FramePtr ping_event() {
  static const net::FramePtr kFrame = text_frame(R"({"event":"pusher:ping","data":{}})");
  return kFrame;
}
net::FramePtr pong_event() {
  static const net::FramePtr kFrame = text_frame(R"({"event":"pusher:pong","data":{}})");
  return kFrame;
}
net::FramePtr ping_frame() {
  static const net::FramePtr kFrame = control_frame(ws::Opcode::kPing, {});
  return kFrame;
}
net::FramePtr pong_frame(std::string_view payload) {
  return control_frame(ws::Opcode::kPong, payload);
}

net::FramePtr subscription_succeeded(const hub::JoinReply& reply, bool alone) {
  std::string inner = "{";
  if (reply.history) append_history(inner, reply.history->position, reply.history->asked, reply.history->why());
  if (reply.members) {
    hub::MemberList joiner;
    for (const hub::Member& member : *reply.members) {
      if (alone && member.user_id == reply.user_id) joiner.push_back(member);
    }
    if (inner.back() != '{') inner += ',';
    inner += presence_json(alone ? joiner : *reply.members);
  }
  inner += '}';
  return internal_event("pusher_internal:subscription_succeeded", reply.channel, inner);
}

net::FramePtr subscription_succeeded(std::string_view channel) {
  return internal_event("pusher_internal:subscription_succeeded", channel, "{}");
}

net::FramePtr subscription_error(Reason reason, std::string_view channel) {
  const ReasonRow& row = reason_row(reason);
  const SubscriptionRefusal refusal = refusal_of(reason);
  std::string json = R"({"event":"pusher:subscription_error","channel":)";
  append_json_string(json, channel);
  json += R"(,"data":{"type":")";
  json += refusal.type;
  json += R"(","error":)";
  append_json_string(json, row.text);
  json += R"(,"status":)";
  json += std::to_string(refusal.status);
  json += R"(,"reason":")";
  json += row.id;
  json += R"("}})";
  return text_frame(json);
}

net::FramePtr cache_miss(std::string_view channel) {
  return internal_event("pusher:cache_miss", channel, "{}");
}

net::FramePtr signin_success(std::string_view user_data) {
  std::string json = R"({"event":"pusher:signin_success","data":{"user_data":)";
  append_json_string(json, user_data);
  json += "}}";
  return text_frame(json);
}

net::FramePtr missed_events(std::string_view channel, uint64_t count) {
  return internal_event("kilat:missed", channel, R"({"missed":)" + std::to_string(count) + '}');
}

net::FramePtr token_expiring(uint64_t left_s) {
  // A text, as data of all events that are not Pusher's own: typed SDKs expect no object.
  std::string json = R"({"event":"kilat:token_expiring","data":"{\"expires_in\":)";
  json += std::to_string(left_s);
  json += R"(}"})";
  return text_frame(json);
}

net::FramePtr watchlist_events(std::span<const std::string> online, std::span<const std::string> offline) {
  std::string inner = R"({"events":[)";
  if (!online.empty()) {
    inner += R"({"name":"online","user_ids":)";
    append_string_list(inner, online);
    inner += '}';
  }
  if (!offline.empty()) {
    inner += online.empty() ? R"({"name":"offline","user_ids":)" : R"(,{"name":"offline","user_ids":)";
    append_string_list(inner, offline);
    inner += '}';
  }
  inner += "]}";
  return internal_event("pusher_internal:watchlist_events", {}, inner);
}

net::FramePtr PublicationEncoder::frame(const hub::Publication& publication, ws::Deflater* deflater, bool offset) {
  json_.clear();
  append_publication_json(json_, publication, offset);
  net::FramePtr frame = make_frame(deflater);
  if (json_.capacity() > kKeptBytesMax) json_ = {};
  if (compressed_.capacity() > kKeptBytesMax) compressed_ = {};
  return frame;
}

net::FramePtr PublicationEncoder::make_frame(ws::Deflater* deflater) {
  compressed_.clear();
  if (deflater == nullptr || json_.size() < kDeflateBytesMin || !deflater->deflate(json_, compressed_)) {
    return text_frame(json_);
  }
  char header[ws::kFrameHeaderMax];
  const size_t size = ws::encode_frame_header(header, ws::Opcode::kText, compressed_.size(), true);
  return net::FramePtr::make({header, size}, compressed_);
}

std::string publication_json(const hub::Publication& publication) {
  std::string json;
  append_publication_json(json, publication, false);
  return json;
}

}  // namespace kilat::pusher
