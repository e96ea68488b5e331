#include "app/ingest_upload.h"

#include <utility>

#include "api/answer.h"
#include "app/shard.h"
#include "base/json_text.h"
#include "base/memory_reserve.h"

namespace kilat::app {

IngestUpload::IngestUpload(Shard& shard, store::IngestLog& log, ingest::BodyParser& parser,
                           std::shared_ptr<uint32_t> uploads, What what)
    : Timer(&IngestUpload::on_timer),
      shard_(shard),
      log_(log),
      uploads_(std::move(uploads)),
      what_(std::move(what)),
      stream_(parser, what_.settings, what_.limits, what_.packed) {
  ++*uploads_;
}

// By way of the session, which knows what a lack of memory costs.
void IngestUpload::on_timer(Timer& timer) {
  const auto& upload = static_cast<IngestUpload&>(timer);
  upload.shard_.go_on(upload.what_.ticket);
}

size_t IngestUpload::buffered() const {
  const size_t waits = next_ ? next_->readings.data.capacity() : 0;
  return sizeof *this + stream_.buffered() + waits + flying_bytes_;
}

bool IngestUpload::busy() const {
  return !answered_ && (complete_ || (!over_ && (next_ || armed())));
}

bool IngestUpload::progressed() {
  return std::exchange(lines_seen_, stream_.lines()) != stream_.lines();
}

void IngestUpload::on_body(std::string_view bytes) {
  body_bytes_ += bytes.size();
  if (!over_) stream_.feed(bytes);
}

void IngestUpload::end() {
  complete_ = true;
  stream_.end();
}

void IngestUpload::refuse(Reason reason, std::string_view detail) {
  if (over_) return;
  over_ = true;
  error_ = {reason, std::string(detail)};
  next_.reset();
  shard_.wheel().cancel(*this);
}

void IngestUpload::go_on() {
  read_on();
  settle();
}

void IngestUpload::read_on() {
  for (int i = 0; !over_; ++i) {
    if (!next_) {
      if (i >= kPiecesPerTurn) return shard_.wheel().schedule(*this, shard_.now_ms());
      auto piece = stream_.next(shard_.unix_now_ms());
      if (!piece) return refuse(piece.error().reason, piece.error().detail);
      if (!*piece) return;
      next_ = std::move(**piece);
    }
    if (!hand_over()) return;
  }
}

// False: the piece has to wait.
bool IngestUpload::hand_over() {
  if (flying_) return false;
  if (next_->readings.count == 0) {
    lines_ = next_->lines;
    if (next_->last && jobs_ == 0) {
      refuse(Reason::kIngestBodyInvalid, "it is empty");
    } else if (next_->last) {
      over_ = true;
    }
    next_.reset();
    ++pieces_;
    return !over_;
  }
  if (log_.filling()) return wait_for_room();
  store::NewJob job{.app = what_.app_id,
                    .key = piece_key(),
                    .data = next_->readings.data,
                    .readings = next_->readings.count,
                    .store = what_.settings.keep_s > 0,
                    .unix_ms = shard_.unix_now_ms()};
  const size_t bytes = job.data.size();
  const auto told = [&shard = shard_, ticket = what_.ticket](store::Outcome<store::AcceptedJob> done) {
    const memory::MustSucceed telling;
    shard.post([&shard, ticket, done = std::move(done)] { shard.on_piece(ticket, done); });
  };
  switch (log_.accept(std::move(job), told)) {
    case store::IngestLog::Taken::kYes: break;
    case store::IngestLog::Taken::kFull: return wait_for_room();
    case store::IngestLog::Taken::kTooLarge: refuse(Reason::kHttpBodyTooLarge, "ingest.queue_bytes_max"); return false;
    case store::IngestLog::Taken::kStopped: refuse(Reason::kIngestUnavailable); return false;
  }
  ++pieces_;
  waits_since_ms_ = 0;
  flying_ = std::exchange(next_, std::nullopt);
  flying_->readings.data = {};
  flying_bytes_ = bytes;
  return true;
}

// Bodies that are streamed leave half of the queue to requests that cannot wait.
bool IngestUpload::wait_for_room() {
  const uint64_t now_ms = shard_.now_ms();
  if (waits_since_ms_ == 0) waits_since_ms_ = now_ms;
  if (now_ms - waits_since_ms_ >= shard_.settings().http.request_timeout_ms) {
    refuse(Reason::kIngestQueueFull);
  } else {
    shard_.wheel().schedule(*this, now_ms + kRoomMs);
  }
  return false;
}

void IngestUpload::on_piece(const store::Outcome<store::AcceptedJob>& outcome) {
  if (!flying_) return;
  const ingest::LineStream::Piece piece = std::move(*std::exchange(flying_, std::nullopt));
  flying_bytes_ = 0;
  if (outcome) {
    accepted_ += outcome->readings;
    lines_ = piece.lines;
    last_job_ = outcome->id;
    ++jobs_;
    if (piece.last) over_ = true;
    read_on();
  } else {
    // What came behind it is not taken, whatever is wrong with that.
    over_ = false;
    refuse(Reason::kIngestUnavailable);
  }
  settle();
}

// Must be the last that is done: with the answer the upload ends.
void IngestUpload::settle() {
  if (!over_ || answered_ || flying_) return;
  const http::Response response = answer();
  answered_ = true;
  shard_.service().note_streamed(what_.app, body_bytes_, response.body.size());
  shard_.answer_later(what_.ticket, response);
}

// A body that fits into one piece is known by the key as it came, like one that was not streamed.
std::string IngestUpload::piece_key() const {
  if (what_.key.empty() || (pieces_ == 0 && next_->last)) return what_.key;
  return what_.key + "\n" + std::to_string(pieces_);
}

http::Response IngestUpload::answer() const {
  http::Response response = error_.reason == Reason::kNone ? api::ok("{}") : api::refusal(error_.reason, error_.detail);
  if (error_.reason == Reason::kNone) response.status = 202;
  std::string& body = response.body;
  body.pop_back();
  if (body.back() != '{') body += ',';
  body += R"("accepted":)" + std::to_string(accepted_) + R"(,"lines":)" + std::to_string(lines_) + R"(,"jobs":)" +
          std::to_string(jobs_) + R"(,"job":)";
  body += jobs_ == 0 ? "null" : json_string(log_.name_of(last_job_));
  body += '}';
  return response;
}

}  // namespace kilat::app
