// Counts what a program takes from the heap by operator new: link counting_new.cc and replaced_new.cc.
// Owner: the whole process. Any thread may read the count; which threads are counted is each thread's own word.
#pragma once

#include <cstdint>

namespace kilat::alloc {

/// Calls of operator new, in all forms, by all counted threads since the program began.
uint64_t allocations();

/// Whether the calling thread is counted from now on. A new thread is.
void count_this_thread(bool counted);

}  // namespace kilat::alloc
