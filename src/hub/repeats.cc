#include "hub/repeats.h"

#include <utility>

namespace kilat::hub {

// Keys are an app's own, and a request for several channels is one event in each.
std::string Repeats::name_of(const Publication& publication) {
  std::string name = std::to_string(publication.app());
  name += ' ';
  name += publication.channel();
  name += '\0';  // stands in no name
  name += publication.key();
  return name;
}

Repeats::Entry* Repeats::find(const Publication& publication, uint64_t now_ms) {
  if (publication.key().empty()) return nullptr;
  while (!order_.empty()) {
    // An app may have another lifetime than the next: one that is over late costs its place, no more.
    const auto oldest = replies_.find(order_.front());
    if (oldest != replies_.end() && oldest->second.until_ms > now_ms) break;
    if (oldest != replies_.end()) replies_.erase(oldest);
    order_.pop_front();
  }
  const auto found = replies_.find(name_of(publication));
  return found == replies_.end() || found->second.until_ms <= now_ms ? nullptr : &found->second;
}

void Repeats::note(const Publication& publication, uint64_t until_ms) {
  if (publication.key().empty()) return;
  while (order_.size() >= kKeysMax) {
    replies_.erase(order_.front());
    order_.pop_front();
  }
  std::string name = name_of(publication);
  order_.push_back(name);
  replies_[std::move(name)] = {.reply = {}, .until_ms = until_ms};
}

void Repeats::answered(const Publication& publication, const PublishReply& reply) {
  if (publication.key().empty()) return;
  const auto found = replies_.find(name_of(publication));
  if (found == replies_.end()) return;
  found->second.reply = reply;
  found->second.tag = 0;
}

void Repeats::pending(const Publication& publication, uint64_t tag) {
  if (publication.key().empty()) return;
  const auto found = replies_.find(name_of(publication));
  if (found != replies_.end()) found->second.tag = tag;
}

void Repeats::forget(const Publication& publication) {
  if (!publication.key().empty()) replies_.erase(name_of(publication));
}

}  // namespace kilat::hub
