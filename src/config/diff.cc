#include "config/diff.h"

#include <string_view>
#include <unordered_map>
#include <utility>

#include "config/schema.h"
#include "config/value.h"

namespace kilat::config {
namespace {

using AppsById = std::unordered_map<std::string_view, const hub::AppSettings*>;

AppsById by_id(const Settings& settings) {
  AppsById out;
  for (const hub::AppSettings& app : settings.apps) out.emplace(app.id, &app);
  return out;
}

void compare(std::vector<Change>& out, const Row& row, std::string path, const Value& before, const Value& after,
             std::string_view app_id) {
  if (before == after) return;
  out.push_back({ChangeKind::kSetting, std::move(path), plain_value(row, before), plain_value(row, after),
                 std::string(app_id), row.needs_restart});
}

}  // namespace

std::vector<Change> diff(const Settings& before, const Settings& after) {
  std::vector<Change> out;
  const hub::AppSettings unused;
  for (const Row& row : schema()) {
    if (row.of_app()) continue;
    compare(out, row, std::string(row.key), row.get(row, before, unused), row.get(row, after, unused), {});
  }
  const AppsById earlier = by_id(before);
  for (const hub::AppSettings& app : after.apps) {
    const std::string path = "app." + app.id;
    const auto found = earlier.find(app.id);
    if (found == earlier.end()) {
      out.push_back({ChangeKind::kAppAdded, path, {}, {}, app.id, false});
      continue;
    }
    for (const Row& row : schema()) {
      if (!row.of_app()) continue;
      compare(out, row, path + "." + std::string(row.name()), row.get(row, before, *found->second),
              row.get(row, after, app), app.id);
    }
  }
  const AppsById later = by_id(after);
  for (const hub::AppSettings& app : before.apps) {
    if (!later.contains(app.id)) out.push_back({ChangeKind::kAppRemoved, "app." + app.id, {}, {}, app.id, false});
  }
  return out;
}

std::string describe(const Change& change) {
  switch (change.kind) {
    case ChangeKind::kAppAdded: return change.path + " added";
    case ChangeKind::kAppRemoved: return change.path + " removed";
    case ChangeKind::kSetting: break;
  }
  // Two masked secrets look alike, and saying that they do would say nothing.
  if (change.before == change.after) return change.path + " changed";
  return change.path + " " + change.before + " -> " + change.after;
}

Settings live_part(const Settings& running, const Settings& wanted) {
  Settings out = wanted;
  hub::AppSettings unused;
  const AppsById earlier = by_id(running);
  for (const Row& row : schema()) {
    if (!row.needs_restart) continue;
    if (!row.of_app()) {
      row.set(row, out, unused, row.get(row, running, unused));
      continue;
    }
    for (hub::AppSettings& app : out.apps) {
      if (const auto found = earlier.find(app.id); found != earlier.end())
        row.set(row, out, app, row.get(row, running, *found->second));
    }
  }
  return out;
}

}  // namespace kilat::config
