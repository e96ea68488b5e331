#include "alloc/replaced_new.h"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

// Kept out of line: where the compiler sees malloc and free through the operators, it takes them for a mismatch.
[[gnu::noinline]] void* take(size_t size, size_t alignment) noexcept {
  if (!kilat::alloc::on_allocation()) return nullptr;
  if (alignment <= alignof(std::max_align_t)) return std::malloc(size == 0 ? 1 : size);
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

// As the standard's own operator new: the new-handler may give memory back, or throw.
[[gnu::noinline]] void* take_or_throw(size_t size, size_t alignment) {
  for (;;) {
    if (void* memory = take(size, alignment)) return memory;
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}

[[gnu::noinline]] void give(void* memory) noexcept {
  std::free(memory);
}

constexpr size_t kPlain = alignof(std::max_align_t);

}  // namespace

void* operator new(size_t size) {
  return take_or_throw(size, kPlain);
}
void* operator new[](size_t size) {
  return take_or_throw(size, kPlain);
}
void* operator new(size_t size, std::align_val_t alignment) {
  return take_or_throw(size, static_cast<size_t>(alignment));
}
void* operator new[](size_t size, std::align_val_t alignment) {
  return take_or_throw(size, static_cast<size_t>(alignment));
}
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return take(size, kPlain);
}
void* operator new[](size_t size, const std::nothrow_t&) noexcept {
  return take(size, kPlain);
}
void* operator new(size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return take(size, static_cast<size_t>(alignment));
}
void* operator new[](size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return take(size, static_cast<size_t>(alignment));
}

void operator delete(void* memory) noexcept {
  give(memory);
}
void operator delete[](void* memory) noexcept {
  give(memory);
}
void operator delete(void* memory, size_t) noexcept {
  give(memory);
}
void operator delete[](void* memory, size_t) noexcept {
  give(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  give(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  give(memory);
}
void operator delete(void* memory, size_t, std::align_val_t) noexcept {
  give(memory);
}
void operator delete[](void* memory, size_t, std::align_val_t) noexcept {
  give(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  give(memory);
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
  give(memory);
}
void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
  give(memory);
}
void operator delete[](void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
  give(memory);
}
