#include "hub/publication.h"

#include <cstring>
#include <new>

namespace kilat::hub {
namespace {

// In the order of the accessors.
std::array<std::string_view, 7> parts_of(const PublicationDraft& draft) {
  return {draft.channel, draft.event, draft.data, draft.user_id, draft.packet, draft.key, draft.subject};
}

}  // namespace

PublicationPtr Publication::make(const PublicationDraft& draft) {
  size_t text = 0;
  for (const std::string_view part : parts_of(draft)) text += part.size();
  auto* publication = new (::operator new(sizeof(Publication) + text)) Publication(draft);
  char* at = reinterpret_cast<char*>(publication + 1);
  for (const std::string_view part : parts_of(draft)) {
    if (!part.empty()) std::memcpy(at, part.data(), part.size());
    at += part.size();
  }
  return PublicationPtr(publication);
}

Publication::Publication(const PublicationDraft& draft)
    : kind_(draft.kind),
      from_client_(draft.from_client),
      depth_(draft.depth),
      app_(draft.app),
      reason_(draft.reason),
      exclude_(draft.exclude),
      number_(draft.number),
      audience_(draft.audience) {
  uint32_t end = 0;
  size_t index = 0;
  for (const std::string_view part : parts_of(draft)) {
    end += static_cast<uint32_t>(part.size());
    ends_[index++] = end;
  }
}

Publication::~Publication() {
  for (const auto& slot : frames_) {
    if (net::Frame* frame = slot.load(std::memory_order_relaxed)) frame->release();
  }
}

void Publication::release() const {
  if (refs_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  this->~Publication();
  ::operator delete(const_cast<Publication*>(this));
}

net::Frame* Publication::frame(Format format, Encoder& encoder) const {
  std::atomic<net::Frame*>& slot = frames_[format];
  net::Frame* present = slot.load(std::memory_order_acquire);
  if (present != nullptr) return present;
  net::FramePtr made = encoder.encode(*this, format);
  // Two shards may encode at the same moment; the loser's frame is dropped and both use the winner's.
  if (slot.compare_exchange_strong(present, made.get(), std::memory_order_acq_rel, std::memory_order_acquire)) {
    return made.detach();
  }
  return present;
}

}  // namespace kilat::hub
