// Audience: which readers of a channel an event is for, where it is not for all of them: what was sent to several
// channels at once, or to some without those of others. Immutable; any shard asks it for its own readers. Lifetime: as
// long as one of the publications that have it.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace kilat::hub {

class Subscriber;

class Audience {
 public:
  Audience() = default;
  Audience(const Audience&) = delete;
  Audience& operator=(const Audience&) = delete;
  virtual ~Audience() = default;

  /// Whether `reader` gets the event, live, through `channel`, which it reads.
  virtual bool includes(const Subscriber& reader, std::string_view channel) const = 0;
  /// What it takes of the memory, about. Several publications may share it.
  virtual size_t bytes() const = 0;
};

using AudiencePtr = std::shared_ptr<const Audience>;

}  // namespace kilat::hub
