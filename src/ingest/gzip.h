// Unpacking gzip bodies (RFC 1952), as they come or as a whole. Pure; any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kilat::ingest {

/// Unpacks piece by piece; several members one behind the other are one text (RFC 1952, section 2.2). Owner: whoever
/// reads the body, one thread. Bounds: zlib's 40 KiB and kWindow.
class Inflater {
 public:
  static constexpr size_t kWindow = 64 * 1024;

  Inflater();
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// The next of what `packed` holds, at most kWindow; what was used is taken from its front. Empty: all of it was
  /// used. Valid until the next call. Error: kIngestBodyInvalid.
  Result<std::string_view> next(std::string_view& packed);
  /// Whether what came so far is one or more whole members.
  bool whole() const { return whole_; }

 private:
  struct Stream;

  std::unique_ptr<Stream> stream_;
  std::string window_;
  bool whole_ = false;
  bool broken_ = false;
};

/// What `packed` holds. Errors: kIngestBodyInvalid where it is no whole gzip, kHttpBodyTooLarge where it would be more
/// than `bytes_max`.
Result<std::string> gunzip(std::string_view packed, size_t bytes_max);

}  // namespace kilat::ingest
