// The global operators new and delete in all their forms, over malloc: link replaced_new.cc into a program of its own,
// together with one definition of on_allocation(). What C libraries (zlib, OpenSSL) take by malloc does not come here.
#pragma once

namespace kilat::alloc {

/// Asked before each allocation, on the thread that wants it, nothrow ones included; false: there is no memory. After a
/// new-handler has returned, it is asked again.
bool on_allocation() noexcept;

}  // namespace kilat::alloc
