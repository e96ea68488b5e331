// zlib's next_in becomes a pointer to const with this.
#define ZLIB_CONST
#include "ws/deflate.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

namespace kilat::ws {
namespace {

// What a sender cuts off every message: the end of an empty stored block (RFC 7692 section 7.2.1).
constexpr char kTail[] = {0x00, 0x00, static_cast<char>(0xff), static_cast<char>(0xff)};

// Bits of z_stream::data_type after inflate(), as zlib.h says at Z_BLOCK.
constexpr int kAfterBlock = 128;
constexpr int kUnusedBits = 63;

const Bytef* bytes_of(const char* text) {
  return reinterpret_cast<const Bytef*>(text);
}
Bytef* bytes_of(char* text) {
  return reinterpret_cast<Bytef*>(text);
}

}  // namespace

void Inflater::End::operator()(z_stream_s* stream) const {
  inflateEnd(stream);
  delete stream;
}

Inflater::Inflater(uint8_t window_bits, bool takeover) : window_bits_(window_bits), takeover_(takeover) {}

// Makes the stream ready for a message. A negative window means raw deflate, without zlib's header.
bool Inflater::begin() {
  if (stream_) return takeover_ || inflateReset(stream_.get()) == Z_OK;
  auto stream = std::make_unique<z_stream>();
  if (inflateInit2(stream.get(), -window_bits_) != Z_OK) return false;
  stream_.reset(stream.release());
  return true;
}

Reason Inflater::inflate(std::span<const char> message, uint32_t bytes_max, Buffer& out) {
  if (!begin()) return Reason::kInternal;
  const uint64_t guess = std::min<uint64_t>(uint64_t{message.size()} * 3 + 64, bytes_max);
  out.grow(static_cast<uint32_t>(guess), bytes_max);
  if (const Reason sin = run(message, bytes_max, out); sin != Reason::kNone) return sin;
  // In a whole message the tail ends the empty block that its last bits began. If it is read as anything else the
  // message was cut.
  const uint32_t size = out.size();
  const Reason sin = run(kTail, bytes_max, out);
  if (sin == Reason::kInternal) return sin;
  const bool whole = sin == Reason::kNone && at_border_ && out.size() == size;
  return whole ? Reason::kNone : Reason::kWsDeflateInvalid;
}

Reason Inflater::run(std::span<const char> input, uint32_t bytes_max, Buffer& out) {
  z_stream& stream = *stream_;
  stream.next_in = bytes_of(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  while (true) {
    // Over the limit nothing is allocated: one byte of scratch shows whether there would be more.
    char scratch = 0;
    const bool full = out.size() >= bytes_max;
    if (!full && out.room().empty()) out.grow(out.size() + 1, bytes_max);
    const size_t room = full ? 1 : std::min<size_t>(out.room().size(), bytes_max - out.size());
    stream.next_out = bytes_of(full ? &scratch : out.room().data());
    stream.avail_out = static_cast<uInt>(room);
    const int status = ::inflate(&stream, Z_SYNC_FLUSH);
    const size_t produced = room - stream.avail_out;
    if (full && produced > 0) return Reason::kWsInflatedTooBig;
    if (!full) out.commit(produced);
    if (status == Z_MEM_ERROR) return Reason::kInternal;
    if (status != Z_OK && status != Z_BUF_ERROR && status != Z_STREAM_END) return Reason::kWsDeflateInvalid;
    at_border_ = status == Z_STREAM_END || (stream.data_type & (kAfterBlock | kUnusedBits)) == kAfterBlock;
    // A block may be marked as the last one of its stream; the message goes on with the same window (RFC 7692 section
    // 7.2.3.4). inflateReset() would forget the window, this does not.
    if (status == Z_STREAM_END && inflateResetKeep(&stream) != Z_OK) return Reason::kInternal;
    if (stream.avail_in == 0 && (stream.avail_out > 0 || status == Z_STREAM_END)) return Reason::kNone;
  }
}

void Deflater::End::operator()(z_stream_s* stream) const {
  deflateEnd(stream);
  delete stream;
}

Deflater::Deflater(const DeflaterOptions& options) : options_(options) {}

bool Deflater::begin() {
  if (stream_) return options_.takeover || deflateReset(stream_.get()) == Z_OK;
  auto stream = std::make_unique<z_stream>();
  const int status = deflateInit2(stream.get(), options_.level, Z_DEFLATED, -options_.window_bits, options_.mem_level,
                                  Z_DEFAULT_STRATEGY);
  if (status != Z_OK) return false;
  stream_.reset(stream.release());
  return true;
}

bool Deflater::deflate(std::string_view message, std::string& out) {
  // zlib makes nothing of nothing. One empty block, less its tail (RFC 7692 section 7.2.3.6), leaves the window as it
  // is.
  if (message.empty()) {
    out.push_back('\0');
    return true;
  }
  if (message.size() > std::numeric_limits<uInt>::max() || !begin()) return false;
  const size_t before = out.size();
  if (run(message, out)) return true;
  out.resize(before);
  return false;
}

bool Deflater::run(std::string_view message, std::string& out) {
  z_stream& stream = *stream_;
  stream.next_in = bytes_of(message.data());
  stream.avail_in = static_cast<uInt>(message.size());
  // Room for a flush marker besides: zlib writes a second marker where less than seven bytes are left for the first.
  size_t room = deflateBound(&stream, stream.avail_in) + 16;
  do {
    int status = Z_STREAM_ERROR;
    const size_t size = out.size();
    out.resize_and_overwrite(size + room, [&](char* text, size_t) {
      stream.next_out = bytes_of(text + size);
      stream.avail_out = static_cast<uInt>(room);
      status = ::deflate(&stream, Z_SYNC_FLUSH);
      return size + room - stream.avail_out;
    });
    if (status != Z_OK) return false;
    room = 256;
  } while (stream.avail_out == 0);
  if (!out.ends_with(std::string_view(kTail, sizeof(kTail)))) return false;
  out.resize(out.size() - sizeof(kTail));
  return true;
}

}  // namespace kilat::ws
