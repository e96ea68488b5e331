#include "fake_net/failing_new.h"

#include <utility>

#include "alloc/replaced_new.h"
#include "fake_net/kernel.h"

namespace kilat::fake_net {
namespace {

constinit uint32_t left = 0;
constinit bool failed = false;

}  // namespace

void fail_allocation(uint32_t nth) {
  left = nth;
  failed = false;
}

bool allocation_failed() {
  left = 0;
  return std::exchange(failed, false);
}

}  // namespace kilat::fake_net

namespace kilat::alloc {

bool on_allocation() noexcept {
  using namespace kilat::fake_net;
  if (!serving || left == 0 || --left > 0) return true;
  failed = true;
  return false;
}

}  // namespace kilat::alloc
