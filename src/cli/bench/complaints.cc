#include "cli/bench/complaints.h"

#include <algorithm>

#include "cli/failure.h"

namespace kilat::cli::bench {

const char* name_of(Stage stage) {
  switch (stage) {
    case Stage::kConnect: return "connect";
    case Stage::kRun: return "run";
    case Stage::kPublish: return "publish";
  }
  return "";
}

void Complaints::add(Stage stage, const Complaint& complaint) {
  Complaint wanted{complaint.code, fit_for_terminal(std::string_view(complaint.text).substr(0, kTextBytesMax))};
  const auto same = [&](const Kind& kind) {
    return kind.stage == stage && kind.complaint.code == wanted.code && kind.complaint.text == wanted.text;
  };
  auto found = std::ranges::find_if(kinds_, same);
  // The last rows are one for each stage, kept for what has no row of its own.
  if (found == kinds_.end() && kinds_.size() >= kKindsMax - 3) {
    wanted = {0, "others"};
    found = std::ranges::find_if(kinds_, same);
  }
  if (found == kinds_.end()) found = kinds_.insert(kinds_.end(), Kind{stage, std::move(wanted), 0});
  ++found->count;
}

uint64_t Complaints::count(Stage stage) const {
  uint64_t out = 0;
  for (const Kind& kind : kinds_) out += kind.stage == stage ? kind.count : 0;
  return out;
}

std::string Complaints::most_frequent(Stage stage) const {
  const Kind* best = nullptr;
  for (const Kind& kind : kinds_) {
    if (kind.stage == stage && (best == nullptr || kind.count > best->count)) best = &kind;
  }
  return best == nullptr ? std::string{} : text_of(best->complaint);
}

std::string text_of(const Complaint& complaint) {
  return (complaint.code != 0 ? std::to_string(complaint.code) + ": " : std::string{}) + complaint.text;
}

}  // namespace kilat::cli::bench
