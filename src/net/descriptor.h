// Descriptor: owns a file descriptor on its way from the call that made it to the object that will keep it, so that a
// failure in between does not leak it.
// Owner: one scope; movable.
#pragma once

#include <unistd.h>

#include <utility>

namespace kilat::net {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }

  int get() const { return fd_; }
  /// Hands it over; the caller closes it from now on.
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

}  // namespace kilat::net
