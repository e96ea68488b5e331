// zlib's next_in becomes a pointer to const with this.
#define ZLIB_CONST
#include "ingest/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <new>

namespace kilat::ingest {
namespace {

struct Stream {
  z_stream zlib{};
  // 16 above the window's bits: the gzip format only.
  bool ready = inflateInit2(&zlib, 15 + 16) == Z_OK;
  Stream() = default;
  ~Stream() {
    if (ready) inflateEnd(&zlib);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
};

}  // namespace

Result<std::string> gunzip(std::string_view packed, size_t bytes_max) {
  constexpr size_t kStep = 64 * 1024;
  Stream stream;
  if (!stream.ready) throw std::bad_alloc();
  stream.zlib.next_in = reinterpret_cast<const Bytef*>(packed.data());
  stream.zlib.avail_in = static_cast<uInt>(packed.size());
  std::string out;
  for (;;) {
    const size_t size = out.size();
    // One byte more than allowed shows that there is more.
    const size_t room = std::min(std::max(kStep, size / 2), bytes_max + 1 - size);
    out.resize(size + room);
    stream.zlib.next_out = reinterpret_cast<Bytef*>(out.data() + size);
    stream.zlib.avail_out = static_cast<uInt>(room);
    const int status = ::inflate(&stream.zlib, Z_NO_FLUSH);
    out.resize(size + room - stream.zlib.avail_out);
    if (out.size() > bytes_max) {
      return fail(Reason::kHttpBodyTooLarge, "more than " + std::to_string(bytes_max) + " bytes, unpacked");
    }
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
    if (status == Z_STREAM_END) {
      if (stream.zlib.avail_in == 0) return out;
      if (inflateReset(&stream.zlib) != Z_OK) return fail(Reason::kIngestBodyInvalid, "not gzip");
      continue;
    }
    // Without progress the input has ended early.
    const bool stuck = status == Z_BUF_ERROR || (stream.zlib.avail_in == 0 && stream.zlib.avail_out > 0);
    if ((status != Z_OK && status != Z_BUF_ERROR) || stuck) return fail(Reason::kIngestBodyInvalid, "not whole gzip");
  }
}

}  // namespace kilat::ingest
