// zlib's next_in becomes a pointer to const with this.
#define ZLIB_CONST
#include "ingest/gzip.h"

#include <zlib.h>

#include <new>

namespace kilat::ingest {

struct Inflater::Stream {
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

Inflater::Inflater() : stream_(std::make_unique<Stream>()), window_(kWindow, '\0') {
  if (!stream_->ready) throw std::bad_alloc();
}

Inflater::~Inflater() = default;

Result<std::string_view> Inflater::next(std::string_view& packed) {
  z_stream& zlib = stream_->zlib;
  for (;;) {
    if (broken_) return fail(Reason::kIngestBodyInvalid, "not gzip");
    // A member has ended, and another one begins. Not before there is a byte of it: the text may end here.
    if (whole_ && packed.empty()) return std::string_view();
    if (whole_ && inflateReset(&zlib) != Z_OK) return fail(Reason::kIngestBodyInvalid, "not gzip");
    whole_ = false;
    zlib.next_in = reinterpret_cast<const Bytef*>(packed.data());
    zlib.avail_in = static_cast<uInt>(packed.size());
    zlib.next_out = reinterpret_cast<Bytef*>(window_.data());
    zlib.avail_out = static_cast<uInt>(kWindow);
    const int status = ::inflate(&zlib, Z_NO_FLUSH);
    packed.remove_prefix(packed.size() - zlib.avail_in);
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
    broken_ = status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR;
    whole_ = status == Z_STREAM_END;
    const std::string_view out = std::string_view(window_).substr(0, kWindow - zlib.avail_out);
    // What stands before the damage comes first, however the input was cut.
    if (broken_ && out.empty()) return fail(Reason::kIngestBodyInvalid, "not gzip");
    // Without progress it waits for more.
    if (!out.empty() || (!whole_ && packed.empty())) return out;
    if (!whole_ && status == Z_BUF_ERROR) return out;
  }
}

Result<std::string> gunzip(std::string_view packed, size_t bytes_max) {
  Inflater inflater;
  std::string out;
  for (;;) {
    TRY(const std::string_view part, inflater.next(packed));
    if (part.empty()) break;
    if (part.size() > bytes_max - out.size()) {
      return fail(Reason::kHttpBodyTooLarge, "more than " + std::to_string(bytes_max) + " bytes, unpacked");
    }
    out += part;
  }
  if (!inflater.whole()) return fail(Reason::kIngestBodyInvalid, "not whole gzip");
  return out;
}

}  // namespace kilat::ingest
