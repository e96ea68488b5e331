#include "socketio/payload.h"

#include <zlib.h>

#include <cstdint>

#include "base/base64.h"
#include "base/check.h"
#include "ws/frame.h"

namespace kilat::socketio {
namespace {

struct ServerFrame {
  ws::Opcode opcode;
  std::string_view payload;
};

// Takes one unmasked frame from the front of `bytes`, which our own encoder has written.
ServerFrame take_frame(std::string_view& bytes) {
  const auto byte = [&bytes](size_t at) { return static_cast<uint8_t>(bytes[at]); };
  KILAT_CHECK(bytes.size() >= 2);
  size_t header = 2;
  uint64_t size = byte(1);
  if (size >= 126) {
    header = size == 126 ? 4 : 10;
    KILAT_CHECK(bytes.size() >= header);
    size = 0;
    for (size_t at = 2; at < header; ++at) size = size << 8 | byte(at);
  }
  KILAT_CHECK(bytes.size() - header >= size);
  const ServerFrame frame{static_cast<ws::Opcode>(byte(0) & 0x0f), bytes.substr(header, size)};
  bytes.remove_prefix(header + size);
  return frame;
}

}  // namespace

std::optional<std::string_view> PayloadReader::next() {
  if (done_) return std::nullopt;
  const size_t end = left_.find(kPacketSeparator);
  const std::string_view packet = left_.substr(0, end);
  done_ = end == std::string_view::npos;
  if (!done_) left_.remove_prefix(end + 1);
  return packet;
}

void append_packets(std::string& body, std::string_view frames) {
  while (!frames.empty()) {
    const ServerFrame frame = take_frame(frames);
    if (!body.empty()) body += kPacketSeparator;
    if (frame.opcode == ws::Opcode::kBinary) {
      body += 'b';
      append_base64(body, frame.payload);
    } else {
      body += frame.payload;
    }
  }
}

std::string without_binary(std::string_view frames) {
  std::string out;
  while (!frames.empty()) {
    const std::string_view all = frames;
    const ServerFrame frame = take_frame(frames);
    if (frame.opcode != ws::Opcode::kBinary) {
      // As it is: it may be compressed.
      out += all.substr(0, all.size() - frames.size());
      continue;
    }
    std::string text = "b";
    append_base64(text, frame.payload);
    out += ws::encode_frame(ws::Opcode::kText, text);
  }
  return out;
}

std::string gzip(std::string_view text) {
  constexpr int kGzipWindow = 15 + 16;  // 16: a gzip header
  constexpr int kMemoryLevel = 8;
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) return {};
  std::string out(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool done = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return done ? out : std::string();
}

}  // namespace kilat::socketio
