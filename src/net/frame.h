// Frame: immutable bytes ready for the wire, shared by every outbox they go to.
// Owner: whoever holds a FramePtr; the count is atomic because frames cross shards. Lifetime ends with the last
// reference. Bound: a frame is at most 4 GiB; the limits of the app keep it far below.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

namespace kilat::net {

class Frame {
 public:
  std::string_view bytes() const { return {data(), size_}; }
  uint32_t size() const { return size_; }

  /// Adds `count` references at once: one atomic operation for a whole fan-out.
  void retain(uint32_t count = 1) { refs_.fetch_add(count, std::memory_order_relaxed); }

  /// Gives one reference back; frees the frame with the last.
  void release() {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      this->~Frame();
      ::operator delete(this);
    }
  }

 private:
  friend class FramePtr;
  explicit Frame(uint32_t size) : size_(size) {}
  ~Frame() = default;
  const char* data() const { return reinterpret_cast<const char*>(this + 1); }
  char* data() { return reinterpret_cast<char*>(this + 1); }

  std::atomic<uint32_t> refs_{1};
  uint32_t size_;
};

/// Owning reference to a Frame. Move-only use is the rule on the message path; copies cost an atomic operation.
class FramePtr {
 public:
  FramePtr() = default;
  FramePtr(FramePtr&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  FramePtr(const FramePtr& other) : frame_(other.frame_) {
    if (frame_ != nullptr) frame_->retain();
  }
  FramePtr& operator=(FramePtr other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~FramePtr() {
    if (frame_ != nullptr) frame_->release();
  }

  /// A frame with a copy of `head` followed by `body`.
  static FramePtr make(std::string_view head, std::string_view body = {}) {
    const size_t size = head.size() + body.size();
    auto* frame = new (::operator new(sizeof(Frame) + size)) Frame(static_cast<uint32_t>(size));
    if (!head.empty()) std::memcpy(frame->data(), head.data(), head.size());
    if (!body.empty()) std::memcpy(frame->data() + head.size(), body.data(), body.size());
    return adopt(frame);
  }

  /// Takes over one reference that the caller holds.
  static FramePtr adopt(Frame* frame) {
    FramePtr result;
    result.frame_ = frame;
    return result;
  }

  /// Gives the reference away without releasing it.
  Frame* detach() { return std::exchange(frame_, nullptr); }

  Frame* get() const { return frame_; }
  Frame* operator->() const { return frame_; }
  Frame& operator*() const { return *frame_; }
  explicit operator bool() const { return frame_ != nullptr; }

 private:
  Frame* frame_ = nullptr;
};

}  // namespace kilat::net
