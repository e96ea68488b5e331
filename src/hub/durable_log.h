// DurableLog: where a home writes the events of durable channels. Implemented by the layer that has a disk (src/app).
// Thread: that of the home's shard. Nothing here waits.
#pragma once

#include <cstdint>
#include <string_view>

#include "hub/publication.h"

namespace kilat::hub {

class DurableLog {
 public:
  // False: it can't be taken now, and nothing was done.
  /// A new history of the channel, in place of what there was.
  virtual bool begin(AppIndex app, std::string_view channel, uint32_t epoch) = 0;
  /// HomeHub::on_committed(tag) follows; for one channel in the order of the calls.
  virtual bool append(const Publication& publication, uint64_t offset, uint64_t unix_ms, uint64_t tag) = 0;

  /// The channel keeps nothing any more.
  virtual void end(AppIndex app, std::string_view channel) = 0;
  /// Events up to and with this offset are not needed any more.
  virtual void trim(AppIndex app, std::string_view channel, uint64_t up_to) = 0;

 protected:
  ~DurableLog() = default;
};

}  // namespace kilat::hub
