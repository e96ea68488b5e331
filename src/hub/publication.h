// Publication: something that goes to all readers of a channel, immutable, in one allocation with its texts.
// Owner: reference-counted, crosses shards. Each wire format is encoded at most once, by the first shard that has a
// reader of that format, and shared by all.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "base/reason.h"
#include "hub/audience.h"
#include "hub/ids.h"
#include "net/frame.h"

namespace kilat::hub {

class Publication;

/// Makes the bytes of a publication for one wire format. Implemented by the protocols' glue; called by any shard.
class Encoder {
 public:
  virtual net::FramePtr encode(const Publication& publication, Format format) = 0;

 protected:
  ~Encoder() = default;
};

/// What a publication is made from. Views are copied.
struct PublicationDraft {
  enum class Kind : uint8_t {
    kEvent,
    kMemberAdded,        ///< user_id, data = user_info
    kMemberRemoved,      ///< user_id
    kSubscriptionCount,  ///< number
    kKick,               ///< readers are closed for `reason`; only on user channels
  };
  Kind kind = Kind::kEvent;
  bool from_client = false;
  uint8_t depth = 0;  ///< how many flow rules it is the result of, one after the other
  AppIndex app = 0;
  Reason reason = Reason::kNone;
  std::string_view channel = {};
  std::string_view event = {};
  std::string_view data = {};  ///< JSON text, carried over as it came
  std::string_view user_id = {};
  std::string_view packet = {};   ///< what one protocol knows of the event beyond `data`; opaque here
  std::string_view key = {};      ///< idempotency: what comes with the same one again is not published again
  std::string_view subject = {};  ///< what it tells the newest of, see Publication::subject
  SocketId exclude = {};          ///< does not get it: the sender of a client event, or what the backend asked for
  uint64_t number = 0;            ///< kSubscriptionCount
  AudiencePtr audience = {};      ///< null: all readers of the channel
};

class PublicationPtr;

class Publication {
 public:
  using Kind = PublicationDraft::Kind;

  static PublicationPtr make(const PublicationDraft& draft);

  Kind kind() const { return kind_; }
  bool from_client() const { return from_client_; }
  uint8_t depth() const { return depth_; }
  AppIndex app() const { return app_; }
  Reason reason() const { return reason_; }
  SocketId exclude() const { return exclude_; }
  /// Who of the channel's readers gets it, beside exclude(); null: all.
  const AudiencePtr& audience() const { return audience_; }
  /// Whether it is for this reader of its channel, as the audience says.
  bool is_for(const Subscriber& reader) const { return !audience_ || audience_->includes(reader, channel()); }
  /// kSubscriptionCount: how many. kEvent: the offset in the history of its channel; 0: it is in none.
  uint64_t number() const { return number_; }
  /// kEvent of a durable channel: its place among all those of its home, which delivers them in this order, also over a
  /// restart; 0 for all others.
  uint64_t order() const { return order_; }
  /// When it was taken, in monotonic microseconds: only one publication in a few is timed; 0 for the others.
  uint64_t timed_us() const { return timed_us_; }
  std::string_view channel() const { return part(0); }
  std::string_view event() const { return part(1); }
  std::string_view data() const { return part(2); }
  std::string_view user_id() const { return part(3); }
  std::string_view packet() const { return part(4); }
  std::string_view key() const { return part(5); }
  /// Not empty where a conflate rule has sent it: for a reader who is behind it gives way to a later event of the
  /// channel with the same subject. Opaque.
  std::string_view subject() const { return part(6); }
  /// Bytes of its texts.
  uint32_t text_bytes() const { return ends_.back(); }
  /// Bytes of its audience, about.
  uint32_t audience_bytes() const { return audience_ ? static_cast<uint32_t>(audience_->bytes()) : 0; }

  /// The frame for `format`, encoded now if nobody has needed it before. Any shard. The publication keeps its own
  /// reference; the caller retains what it hands on.
  net::Frame* frame(Format format, Encoder& encoder) const;

 private:
  friend class PublicationPtr;
  explicit Publication(const PublicationDraft& draft);
  ~Publication();
  void retain() const { refs_.fetch_add(1, std::memory_order_relaxed); }
  void release() const;
  std::string_view part(size_t index) const {
    const uint32_t begin = index == 0 ? 0 : ends_[index - 1];
    return {reinterpret_cast<const char*>(this + 1) + begin, ends_[index] - begin};
  }

  mutable std::atomic<uint32_t> refs_{1};
  Kind kind_;
  bool from_client_;
  uint8_t depth_;
  AppIndex app_;
  Reason reason_;
  std::array<uint32_t, 7> ends_;  ///< where the texts behind this object end
  SocketId exclude_;
  uint64_t number_;
  uint64_t order_ = 0;
  uint64_t timed_us_ = 0;
  AudiencePtr audience_;
  mutable std::array<std::atomic<net::Frame*>, kFormatsMax> frames_{};
};

/// Owning reference to a Publication.
class PublicationPtr {
 public:
  PublicationPtr() = default;
  PublicationPtr(const PublicationPtr& other) : publication_(other.publication_) {
    if (publication_ != nullptr) publication_->retain();
  }
  PublicationPtr(PublicationPtr&& other) noexcept : publication_(std::exchange(other.publication_, nullptr)) {}
  /// Another reference to what somebody else holds.
  explicit PublicationPtr(const Publication& publication) : publication_(&publication) { publication.retain(); }
  PublicationPtr& operator=(PublicationPtr other) noexcept {
    std::swap(publication_, other.publication_);
    return *this;
  }
  ~PublicationPtr() {
    if (publication_ != nullptr) publication_->release();
  }

  const Publication* operator->() const { return publication_; }
  const Publication& operator*() const { return *publication_; }
  explicit operator bool() const { return publication_ != nullptr; }
  /// Gives an event its offset. By the channel's home, before any shard reads it.
  void place_at(uint64_t offset) const { const_cast<Publication*>(publication_)->number_ = offset; }
  /// Gives an event its order. By the channel's home, before any shard reads it.
  void order_as(uint64_t order) const { const_cast<Publication*>(publication_)->order_ = order; }
  /// Times it from now on. Before any other reference exists.
  void time_from(uint64_t now_us) { const_cast<Publication*>(publication_)->timed_us_ = now_us; }

 private:
  friend class Publication;
  explicit PublicationPtr(const Publication* publication) : publication_(publication) {}
  const Publication* publication_ = nullptr;
};

}  // namespace kilat::hub
