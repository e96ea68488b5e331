// The bodies of long-polling (Engine.IO protocol 4): packets joined by the character 0x1E, binary as base64.
// Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kilat::socketio {

inline constexpr char kPacketSeparator = '\x1e';

/// Takes the next packet from the front of `body`; nothing when the body is used up. A body that is empty, or begins or
/// ends with a separator, has an empty packet, which is the caller's to refuse.
class PayloadReader {
 public:
  explicit PayloadReader(std::string_view body) : left_(body) {}
  std::optional<std::string_view> next();
  /// What next() has not given yet.
  std::string_view left() const { return done_ ? std::string_view() : left_; }

 private:
  std::string_view left_;
  bool done_ = false;
};

/// Appends the packets of `frames`, a row of WebSocket frames of a server, to a body. Text is taken as it is, binary in
/// base64.
void append_packets(std::string& body, std::string_view frames);

/// The same frames with every binary one as text with base64, for a WebSocket client that asked for it (`b64=1`).
std::string without_binary(std::string_view frames);

/// `text` as gzip (RFC 1952); empty when there is no memory.
std::string gzip(std::string_view text);

}  // namespace kilat::socketio
