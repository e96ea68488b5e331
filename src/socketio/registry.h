// Registry: where is written what is needed to bring a socket back after a restart (remembered.h). Implemented by the
// layer that has a disk (src/app). Shard::on_written tells when it is there.
// Thread: that of the shard. Nothing here waits.
#pragma once

#include <cstdint>
#include <string>

namespace kilat::socketio {

class Registry {
 public:
  /// Writes the record of a socket, in place of what there was. Shard::on_written(ticket) follows, with this ticket or
  /// a later one, also when it could not be written. 0: nothing follows, and it may be lost.
  virtual uint64_t put(const std::string& key, std::string record) = 0;
  virtual void erase(const std::string& key) = 0;

 protected:
  ~Registry() = default;
};

}  // namespace kilat::socketio
