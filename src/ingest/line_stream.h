// LineStream: readings out of an NDJSON body that comes bit by bit, packed with gzip or not, in pieces of bounded size.
// Where a piece ends depends on the body alone, not on how the network has cut it, so that a body that is sent again
// gives the same pieces. Pull: nothing is unpacked or parsed before next() asks.
// Owner: one upload, one thread. Bounds: what feed() was given and next() has not used, one line
// (Limits::reading_bytes_max and kLineSpace), and one piece (kPieceBytes and one reading).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "hub/ingest_settings.h"
#include "ingest/body.h"
#include "ingest/gzip.h"
#include "store/ingest_record.h"

namespace kilat::ingest {

class LineStream {
 public:
  static constexpr size_t kPieceBytes = 256 * 1024;  ///< of lines; what a line counts beside its bytes is kLineCost
  static constexpr size_t kLineCost = 32;
  static constexpr size_t kLineSpace = 4 * 1024;  ///< white space that a line may have beside its reading

  struct Piece {
    Readings readings;   ///< none: it is all blank lines
    uint64_t lines = 0;  ///< of the body up to its end, blank ones included
    bool last = false;   ///< the body ends with it
  };

  /// `parser` is lent, and may serve others between two calls.
  LineStream(BodyParser& parser, hub::IngestSettings settings, BodyParser::Limits limits, bool packed);

  void feed(std::string_view bytes);
  /// The body is complete.
  void end() { ended_ = true; }

  /// The next piece. Nothing: it needs more input, or the last one was given. Errors: those of BodyParser::parse_line,
  /// and kIngestBodyInvalid for broken gzip; after one, and after the last piece, the stream is of no more use.
  Result<std::optional<Piece>> next(uint64_t now_unix_ms);

  /// Whole lines so far, those of the piece that is not full yet included.
  uint64_t lines() const { return lines_; }
  /// Heap bytes.
  size_t buffered() const;

 private:
  Result<bool> refill();
  Result<void> take_line(uint64_t now_unix_ms);
  Piece cut(bool last);

  BodyParser& parser_;
  const hub::IngestSettings settings_;
  const BodyParser::Limits limits_;
  std::optional<Inflater> inflater_;
  std::string input_;        // as it came
  size_t used_ = 0;          // of input_
  std::string_view window_;  // what is read next: unpacked by inflater_, or the end of input_
  std::string line_;         // what has come of it
  store::ReadingBatch batch_;
  size_t cost_ = 0;  // of the piece
  uint64_t lines_ = 0;
  bool ended_ = false;
  bool done_ = false;
};

}  // namespace kilat::ingest
