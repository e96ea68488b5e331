// kilat::Server, what it does with signed-in users. All their connections read the user's channel, on whichever shard.
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "embed/runtime.h"
#include "embed/shard_side.h"
#include "hub/access.h"
#include "hub/channel_name.h"
#include "hub/local_hub.h"
#include "kilat/server.h"

namespace kilat {
namespace {

using embed::ShardSide;

/// What the shards have counted so far.
struct UserCount {
  std::atomic<uint32_t> shards_left;
  std::atomic<std::size_t> connections{0};
  std::function<void(std::size_t)> handler;
};

const hub::App* app_of(ShardSide& side, const std::string& app_id, std::string_view user_id) {
  const hub::App* app = side.shard().apps().by_id(app_id);
  const bool known = app != nullptr && app->present && !user_id.empty();
  return known && hub::valid_user_id(app->settings, user_id) ? app : nullptr;
}

std::string channel_of(std::string_view user_id) {
  return std::string(hub::kUserChannelPrefix).append(user_id);
}

bool disconnect_here(ShardSide& side, const std::string& app_id, const std::string& user_id) {
  const hub::App* app = app_of(side, app_id, user_id);
  if (app == nullptr) return false;
  const std::string channel = channel_of(user_id);
  const std::optional<hub::PublishReply> reply =
      side.shard().hub().publish(hub::Publication::make({.kind = hub::Publication::Kind::kKick,
                                                         .app = app->index,
                                                         .reason = Reason::kTerminatedByApi,
                                                         .channel = channel}));
  return !reply || reply->refused == Reason::kNone;
}

std::size_t count_here(ShardSide& side, const std::string& app_id, const std::string& user_id) {
  const hub::App* app = app_of(side, app_id, user_id);
  const hub::LocalChannel* local =
      app == nullptr ? nullptr : side.shard().hub().local().find(app->index, channel_of(user_id));
  std::size_t count = 0;
  if (local == nullptr) return count;
  for (const auto& readers : local->readers) count += readers.size();
  return count;
}

}  // namespace

bool Server::publish_to_user(std::string_view app_id, std::string_view user_id, std::string_view event,
                             const json::value& data) {
  return !user_id.empty() && publish(app_id, channel_of(user_id), event, data);
}

bool Server::disconnect_user(std::string_view app_id, std::string_view user_id) {
  if (user_id.empty()) return false;
  std::string app_name(app_id);
  std::string user(user_id);
  if (ShardSide* side = link_->here()) return disconnect_here(*side, app_name, user);
  return link_->post(0, [app_name = std::move(app_name), user = std::move(user)](ShardSide& side) {
    disconnect_here(side, app_name, user);
  });
}

bool Server::count_user(std::string_view app_id, std::string_view user_id, std::function<void(std::size_t)> handler) {
  if (user_id.empty()) return false;
  if (ShardSide* side = link_->here(); side != nullptr && app_of(*side, std::string(app_id), user_id) == nullptr) {
    return false;
  }
  const uint32_t shards = runtime_->shards();
  const auto all = std::make_shared<UserCount>(shards, 0, std::move(handler));
  uint32_t asked = 0;
  for (uint32_t shard = 0; shard < shards; ++shard) {
    const bool posted =
        link_->post(static_cast<hub::ShardIndex>(shard),
                    [all, app_name = std::string(app_id), user = std::string(user_id)](ShardSide& side) {
                      all->connections += count_here(side, app_name, user);
                      if (--all->shards_left == 0)
                        side.guard("count_user", {}, [&all] { all->handler(all->connections); });
                    });
    if (posted) ++asked;
  }
  return asked == shards;
}

}  // namespace kilat
