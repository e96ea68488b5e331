// IngestUpload: one body of POST /apps/ID/ingest that is read while it comes: its lines go into the queue in pieces,
// one after the other, and the answer comes when the last one is on disk (docs/ingest.md). Nothing is read from the
// client while a piece waits for the disk or for room in the queue. Owner: the HttpSession that reads the body; one
// shard's thread. It may be destroyed at any time: what was handed to the queue stays there, and nobody is told.
// Bounds: kBytesMax and five times app.event_bytes_max; kUploadsMax a shard; a piece waits for room in the queue for
// http.request_timeout_ms.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/service.h"
#include "base/reason.h"
#include "base/timer_wheel.h"
#include "http/request_parser.h"
#include "http/response.h"
#include "hub/app_table.h"
#include "ingest/line_stream.h"
#include "store/ingest_log.h"

namespace kilat::app {

class Shard;

class IngestUpload final : public http::BodySink, private Timer {
 public:
  /// Input as it came, a piece that is read, one that waits, one on its way to the disk.
  static constexpr size_t kBytesMax = 2 * 1024 * 1024;

  static constexpr uint32_t kUploadsMax = 64;

  struct What {
    hub::AppIndex app = 0;
    std::string app_id;
    std::string key;  ///< of the request; empty: none
    hub::IngestSettings settings;
    ingest::BodyParser::Limits limits;
    bool packed = false;
    api::Ticket ticket = 0;  ///< for the answer
  };

  /// `parser` is the shard's; `uploads` counts those there are.
  IngestUpload(Shard& shard, store::IngestLog& log, ingest::BodyParser& parser, std::shared_ptr<uint32_t> uploads,
               What what);
  ~IngestUpload() { --*uploads_; }

  /// From the parser. What it brings is used by go_on(), so that nothing is answered in the middle of parsing.
  void on_body(std::string_view bytes) override;
  /// The body is complete.
  void end();
  /// The body ends here, and the answer says why.
  void refuse(Reason reason, std::string_view detail = {});
  /// Works on what has come. May answer; then the upload may be gone.
  void go_on();

  /// No input is to be read now.
  bool busy() const;
  /// Nothing of the body is wanted any more.
  bool over() const { return over_; }
  /// The body has been read to its end.
  bool complete() const { return complete_; }
  /// Whether a line has come since the last call.
  bool progressed();
  size_t buffered() const;

  /// A piece is on disk, or is not. May answer.
  void on_piece(const store::Outcome<store::AcceptedJob>& outcome);

 private:
  static constexpr int kPiecesPerTurn = 4;
  static constexpr uint64_t kRoomMs = 20;  ///< between two looks for room in the queue

  void read_on();
  bool hand_over();
  bool wait_for_room();
  void settle();
  std::string piece_key() const;
  http::Response answer() const;

  static void on_timer(Timer& timer);

  Shard& shard_;
  store::IngestLog& log_;
  const std::shared_ptr<uint32_t> uploads_;
  const What what_;
  ingest::LineStream stream_;
  std::optional<ingest::LineStream::Piece> next_;    ///< waits
  std::optional<ingest::LineStream::Piece> flying_;  ///< is written; its data is the queue's
  size_t flying_bytes_ = 0;
  uint64_t pieces_ = 0;
  uint64_t accepted_ = 0;  ///< readings that are on disk
  uint64_t jobs_ = 0;
  uint64_t lines_ = 0;  ///< of the body, that are on disk
  int64_t last_job_ = 0;
  uint64_t lines_seen_ = 0;
  uint64_t waits_since_ms_ = 0;  ///< for room; 0: it does not
  uint64_t body_bytes_ = 0;
  Error error_{Reason::kNone, {}};
  bool complete_ = false;
  bool over_ = false;
  bool answered_ = false;
};

}  // namespace kilat::app
