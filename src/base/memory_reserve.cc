#include "base/memory_reserve.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace kilat::memory {
namespace {

// From malloc, not from operator new: the reserve must not ask for itself.
class Reserve {
 public:
  constexpr Reserve() = default;
  ~Reserve() { give_back(); }
  Reserve(const Reserve&) = delete;
  Reserve& operator=(const Reserve&) = delete;

  bool full() const { return filled_ == blocks_.size(); }

  void fill() {
    while (!full()) {
      void* block = std::malloc(kReserveBlockBytes);
      if (block == nullptr) return;
      blocks_[filled_++] = block;
    }
  }

  bool give_back() {
    if (filled_ == 0) return false;
    while (filled_ > 0) std::free(blocks_[--filled_]);
    return true;
  }

 private:
  std::array<void*, kReserveBytes / kReserveBlockBytes> blocks_{};
  size_t filled_ = 0;
};

thread_local Reserve reserve;

}  // namespace

void keep_reserve() {
  if (reserve.full()) return;
  reserve.fill();
  std::set_new_handler(on_failed_allocation);
}

void on_failed_allocation() {
  if (!detail::must_succeed) throw std::bad_alloc();
  if (reserve.give_back()) return;
  std::fputs("kilat: out of memory: the reserve is used up as well\n", stderr);
  std::abort();
}

}  // namespace kilat::memory
