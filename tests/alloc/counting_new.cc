#include "alloc/counting_new.h"

#include <atomic>

#include "alloc/replaced_new.h"

namespace kilat::alloc {
namespace {

constinit std::atomic<uint64_t> g_allocations{0};
constinit thread_local bool t_counted = true;

}  // namespace

bool on_allocation() noexcept {
  if (t_counted) g_allocations.fetch_add(1, std::memory_order_relaxed);
  return true;
}

uint64_t allocations() {
  return g_allocations.load(std::memory_order_relaxed);
}

void count_this_thread(bool counted) {
  t_counted = counted;
}

}  // namespace kilat::alloc
