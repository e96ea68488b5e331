#include "ingest/line_stream.h"

#include <algorithm>
#include <utility>

#include "http/request.h"

namespace kilat::ingest {

LineStream::LineStream(BodyParser& parser, hub::IngestSettings settings, BodyParser::Limits limits, bool packed)
    : parser_(parser), settings_(std::move(settings)), limits_(limits) {
  if (packed) inflater_.emplace();
}

size_t LineStream::buffered() const {
  return input_.capacity() + line_.capacity() + batch_.bytes() + (inflater_ ? Inflater::kWindow : 0);
}

// Gives window_ something to read. False: there is nothing now.
Result<bool> LineStream::refill() {
  if (!window_.empty()) return true;
  std::string_view rest = std::string_view(input_).substr(used_);
  if (inflater_) {
    TRY(window_, inflater_->next(rest));
    used_ = input_.size() - rest.size();
  } else {
    window_ = rest;
    used_ = input_.size();
  }
  return !window_.empty();
}

void LineStream::feed(std::string_view bytes) {
  const size_t unread = inflater_ ? input_.size() - used_ : window_.size();
  input_.erase(0, input_.size() - unread);
  input_ += bytes;
  used_ = 0;
  if (inflater_) return;
  window_ = input_;
  used_ = input_.size();
}

Result<std::optional<LineStream::Piece>> LineStream::next(uint64_t now_unix_ms) {
  while (!done_) {
    TRY(const bool more, refill());
    if (!more && !ended_) return std::nullopt;
    if (!more && inflater_ && !inflater_->whole()) return fail(Reason::kIngestBodyInvalid, "not whole gzip");
    const size_t end = window_.find('\n');
    const std::string_view part = window_.substr(0, end);
    if (line_.size() + part.size() > limits_.reading_bytes_max + kLineSpace) {
      return fail(Reason::kApiDataTooBig, "line " + std::to_string(lines_ + 1) + ": app.event_bytes_max");
    }
    line_ += part;
    window_.remove_prefix(std::min(part.size() + 1, window_.size()));
    if (!more) {
      if (!line_.empty()) TRY_VOID(take_line(now_unix_ms));
      done_ = true;
      return cut(true);
    }
    if (end == std::string_view::npos) continue;
    TRY_VOID(take_line(now_unix_ms));
    if (cost_ >= kPieceBytes) return cut(false);
  }
  return std::nullopt;
}

Result<void> LineStream::take_line(uint64_t now_unix_ms) {
  const size_t size = line_.size();
  line_.append(http::kBodyPadding, '\0');
  TRY_VOID(
      parser_.parse_line(std::string_view(line_).substr(0, size), lines_ + 1, settings_, limits_, now_unix_ms, batch_));
  line_.clear();
  cost_ += size + kLineCost;
  ++lines_;
  return {};
}

LineStream::Piece LineStream::cut(bool last) {
  const uint32_t count = batch_.count();
  Piece out{.readings = {batch_.take(), count}, .lines = lines_, .last = last};
  batch_ = {};
  cost_ = 0;
  return out;
}

}  // namespace kilat::ingest
