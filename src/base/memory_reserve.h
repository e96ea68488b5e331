// What happens when an allocation finds no memory. As a rule it throws std::bad_alloc, which is caught at the border of
// one event, message or timer, and ends the one connection it was for. But what undoes a step, or completes one that
// others have seen already, must not fail half way: it runs in a MustSucceed scope, where a failing allocation gives
// the thread's reserve back to the heap and is tried again. Owner: each thread has its reserve and its scopes; nothing
// is shared. Bounds: kReserveBytes a thread; when that is used up too, the process ends with a message, because its
// tables could no longer be trusted.
#pragma once

#include <cstddef>
#include <utility>

namespace kilat::memory {

namespace detail {
inline constinit thread_local bool must_succeed = false;
}  // namespace detail

/// Bytes of the reserve, in blocks that the allocator keeps in the heap of the thread (below its limit for mappings).
inline constexpr size_t kReserveBytes = 1024 * 1024;
inline constexpr size_t kReserveBlockBytes = 64 * 1024;

/// Fills this thread's reserve as far as there is memory. Cheap when it is full: called once a turn.
void keep_reserve();

/// The standard library calls this when operator new has found nothing (std::set_new_handler): gives back the reserve,
/// or throws std::bad_alloc. Installed by keep_reserve(), for all threads.
void on_failed_allocation();

/// Until the end of the scope allocations of this thread may use the reserve. Only for what allocates little: no more
/// than names and list nodes.
class MustSucceed {
 public:
  MustSucceed() : before_(std::exchange(detail::must_succeed, true)) {}
  ~MustSucceed() { detail::must_succeed = before_; }
  MustSucceed(const MustSucceed&) = delete;
  MustSucceed& operator=(const MustSucceed&) = delete;

 private:
  bool before_;
};

/// Until the end of the scope allocations throw again, inside of a MustSucceed: for a call to somebody who has a border
/// of its own and may want much.
class MayFail {
 public:
  MayFail() : before_(std::exchange(detail::must_succeed, false)) {}
  ~MayFail() { detail::must_succeed = before_; }
  MayFail(const MayFail&) = delete;
  MayFail& operator=(const MayFail&) = delete;

 private:
  bool before_;
};

}  // namespace kilat::memory
