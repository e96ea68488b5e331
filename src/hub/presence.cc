#include "hub/home_channel.h"

namespace kilat::hub {

bool Presence::add(const Member& member) {
  const auto found = by_id_.find(member.user_id);
  if (found != by_id_.end()) {
    ++found->second.connections;
    return false;
  }
  // Moved in when nothing can fail any more.
  std::list<Member> added;
  added.push_back(member);
  by_id_.emplace(member.user_id, Entry{1, added.begin()});
  members_.splice(members_.end(), added);
  list_.reset();
  return true;
}

bool Presence::remove(const std::string& user_id) {
  const auto found = by_id_.find(user_id);
  if (found == by_id_.end() || --found->second.connections > 0) return false;
  members_.erase(found->second.member);
  by_id_.erase(found);
  list_.reset();
  return true;
}

std::shared_ptr<const MemberList> Presence::list() {
  if (!list_) list_ = std::make_shared<const MemberList>(members_.begin(), members_.end());
  return list_;
}

}  // namespace kilat::hub
