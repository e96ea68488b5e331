#include "auth/channel_pattern.h"

#include <algorithm>
#include <array>

namespace kilat::auth {
namespace {

constexpr std::array<std::string_view, 3> kKindPrefixes{"private-", "presence-", "cache-"};

// `anything`: a star is a wildcard, and two wildcards must not touch, because nothing says where one ends.
std::expected<std::vector<PatternPiece>, std::string> parse_pieces(std::string_view text, bool anything) {
  std::vector<PatternPiece> pieces;
  size_t wildcards = 0;
  while (!text.empty()) {
    const bool capture = text.front() == '{';
    const bool star = anything && text.front() == '*';
    if (!capture && !star) {
      const size_t end = std::min(text.find_first_of(anything ? "{*" : "{"), text.size());
      pieces.push_back({PatternPiece::Kind::kLiteral, std::string(text.substr(0, end))});
      text.remove_prefix(end);
      continue;
    }
    if (++wildcards > ChannelPattern::kWildcardsMax) return std::unexpected("has more than 8 captures and stars");
    if (!pieces.empty() && pieces.back().kind != PatternPiece::Kind::kLiteral && anything) {
      return std::unexpected("has two captures or stars with nothing between them");
    }
    if (star) {
      pieces.push_back({PatternPiece::Kind::kAnything, {}});
      text.remove_prefix(1);
      continue;
    }
    const size_t end = text.find('}');
    if (end == std::string_view::npos || end == 1) return std::unexpected("has a { without a name and a }");
    pieces.push_back({PatternPiece::Kind::kCapture, std::string(text.substr(1, end - 1))});
    text.remove_prefix(end + 1);
  }
  return pieces;
}

// Where in the name a piece of the pattern may begin, tried from the left; what has failed once is not tried again, so
// the time is bounded by pieces times length.
class Matcher {
 public:
  Matcher(const std::vector<PatternPiece>& pattern, std::string_view name)
      : pattern_(pattern), name_(name), failed_((pattern.size() + 1) * (name.size() + 1)), begins_(pattern.size()) {}

  bool match() { return match_from(0, 0); }
  /// After match(): what the piece stands for.
  std::string_view part(size_t piece) const {
    const size_t end = piece + 1 < pattern_.size() ? begins_[piece + 1] : name_.size();
    return name_.substr(begins_[piece], end - begins_[piece]);
  }

 private:
  bool match_from(size_t piece, size_t at) {
    if (piece == pattern_.size()) return at == name_.size();
    const size_t state = piece * (name_.size() + 1) + at;
    if (failed_[state]) return false;
    begins_[piece] = at;
    if (try_piece(piece, at)) return true;
    failed_[state] = true;
    return false;
  }

  bool try_piece(size_t piece, size_t at) {
    using Kind = PatternPiece::Kind;
    const PatternPiece& now = pattern_[piece];
    if (now.kind == Kind::kLiteral) {
      return name_.substr(at).starts_with(now.text) && match_from(piece + 1, at + now.text.size());
    }
    size_t end = at;
    if (now.kind == Kind::kAnything && match_from(piece + 1, end)) return true;
    while (end < name_.size() && (now.kind == Kind::kAnything || name_[end] != '.')) {
      if (match_from(piece + 1, ++end)) return true;
    }
    return false;
  }

  const std::vector<PatternPiece>& pattern_;
  std::string_view name_;
  std::vector<bool> failed_;
  std::vector<size_t> begins_;
};

}  // namespace

std::expected<ChannelPattern, std::string> ChannelPattern::parse(std::string_view text) {
  if (text.empty()) return std::unexpected("must begin with a pattern of channel names");
  auto pieces = parse_pieces(text, true);
  if (!pieces) return std::unexpected(pieces.error());
  ChannelPattern pattern;
  pattern.whole_name_ = std::ranges::any_of(kKindPrefixes, [&](auto prefix) { return text.starts_with(prefix); });
  for (PatternPiece& piece : *pieces) {
    if (piece.kind == PatternPiece::Kind::kCapture && pattern.has_capture(piece.text)) {
      return std::unexpected("has {" + piece.text + "} twice");
    }
    pattern.pieces_.push_back(std::move(piece));
  }
  return pattern;
}

bool ChannelPattern::match(std::string_view name, std::vector<Captured>& captures) const {
  const PatternPiece& first = pieces_.front();
  if (first.kind == PatternPiece::Kind::kLiteral && !name.starts_with(first.text)) return false;
  Matcher matcher(pieces_, name);
  if (!matcher.match()) return false;
  captures.clear();
  for (size_t i = 0; i < pieces_.size(); ++i) {
    if (pieces_[i].kind == PatternPiece::Kind::kCapture) captures.push_back({pieces_[i].text, matcher.part(i)});
  }
  return true;
}

bool ChannelPattern::has_capture(std::string_view name) const {
  return std::ranges::any_of(pieces_, [&](const PatternPiece& piece) {
    return piece.kind == PatternPiece::Kind::kCapture && piece.text == name;
  });
}

std::expected<CaptureTemplate, std::string> CaptureTemplate::parse(std::string_view text,
                                                                   const ChannelPattern& pattern) {
  auto pieces = parse_pieces(text, false);
  if (!pieces) return std::unexpected(pieces.error());
  for (const PatternPiece& piece : *pieces) {
    if (piece.kind == PatternPiece::Kind::kCapture && !pattern.has_capture(piece.text)) {
      return std::unexpected("uses {" + piece.text + "}, which its pattern does not have");
    }
  }
  CaptureTemplate made;
  made.pieces_ = std::move(*pieces);
  return made;
}

std::string CaptureTemplate::fill_in(const std::vector<Captured>& captures) const {
  std::string out;
  for (const PatternPiece& piece : pieces_) {
    if (piece.kind == PatternPiece::Kind::kLiteral) {
      out += piece.text;
      continue;
    }
    for (const Captured& captured : captures) {
      if (captured.name == piece.text) out += captured.value;
    }
  }
  return out;
}

}  // namespace kilat::auth
