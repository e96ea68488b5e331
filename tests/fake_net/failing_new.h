// Operators new that fail when a test wants them to. Link failing_new.cc and alloc/replaced_new.cc.
// Owner: the test's one thread. What is counted: allocations of the server (InServer), nothrow ones included.
#pragma once

#include <cstdint>

namespace kilat::fake_net {

/// The `nth` allocation of the server from now on finds no memory; 0: none. As in the standard library, the new handler
/// is asked, and the allocation tried again if it returns.
void fail_allocation(uint32_t nth);

/// Whether it has happened; disarms.
bool allocation_failed();

}  // namespace kilat::fake_net
