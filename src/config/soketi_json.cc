#include "config/soketi_json.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/quantity.h"
#include "base/utf8_repair.h"
#include "config/foreign.h"
#include "config/json_leaves.h"
#include "config/suggest.h"
#include "config/toml_reader.h"
#include "config/value.h"

namespace kilat::config {
namespace {

constexpr std::string_view kApps = "appManager.array.apps.";
constexpr size_t kAppsMax = 10'000;

void warn(Document& document, Place place, std::string message, std::string hint = {}) {
  add(document.diagnostics, {Severity::kWarning, std::move(place), std::move(message), std::move(hint), {}});
}

std::string readable(std::string_view text) {
  return repair_utf8(cut_utf8(text, 80));
}

class Reader {
 public:
  explicit Reader(Document& document) : document_(document) {}

  void read(const std::vector<JsonLeaf>& leaves) {
    set_defaults(document_, Dialect::kSoketi, std::nullopt);
    std::vector<std::pair<const ForeignRow*, const JsonLeaf*>> of_server;
    for (const JsonLeaf& leaf : leaves) {
      if (leaf.path.starts_with(kApps)) {
        read_app_option(leaf);
      } else if (const ForeignRow* row = find_foreign_option(leaf.path)) {
        of_server.emplace_back(row, &leaf);
      } else {
        unknown(leaf, leaf.path);
      }
      metrics_ = metrics_ || (leaf.path == "metrics.enabled" && leaf.text == "true");
    }
    // After the apps, since what is meant for all of them gives way to what one of them says; and in the order of the
    // table, where parts of an address come one after the other.
    std::ranges::sort(of_server);
    for (const auto& [row, leaf] : of_server) read_option(*row, *leaf);
    warn_lost();
  }

 private:
  void read_app_option(const JsonLeaf& leaf) {
    const std::string_view rest = std::string_view(leaf.path).substr(kApps.size());
    const size_t dot = std::min(rest.find('.'), rest.size());
    const auto number = parse_whole<size_t>(rest.substr(0, dot));
    if (!number || dot == rest.size())
      return warn(document_, leaf.place, "unknown option " + readable(leaf.path) + "; ignored");
    const auto app = app_at(*number, leaf);
    if (!app) return;
    const std::string option = "apps." + std::string(rest.substr(dot + 1));
    const ForeignRow* row = find_foreign_option(option);
    if (row == nullptr) return unknown(leaf, option);
    if (const Row* setting = wanted(*row, leaf)) set(*row, *setting, *app, leaf, false);
  }

  void read_option(const ForeignRow& row, const JsonLeaf& leaf) {
    const Row* setting = wanted(row, leaf);
    if (setting == nullptr || (setting->key == "metrics.listen" && !metrics_)) return;
    if (!setting->of_app()) return set(row, *setting, 0, leaf, false);
    for (size_t i = 0; i < document_.settings.apps.size(); ++i) {
      if (!document_.places.contains(Document::app_key(i, setting->name()))) set(row, *setting, i, leaf, true);
    }
  }

  // The setting of a row, or null when there is none; then the leaf is noted for a warning if it loses something.
  const Row* wanted(const ForeignRow& row, const JsonLeaf& leaf) {
    if (!row.key.empty()) return find_row(row.key);
    if (loses(row, leaf.text)) lost_[&row].push_back(&leaf);
    return nullptr;
  }

  void set(const ForeignRow& row, const Row& setting, size_t app, const JsonLeaf& leaf, bool inherited) {
    Place place = leaf.place;
    place.inherited = inherited;
    if (setting.type == Type::kSecret) place.text.clear();
    std::string warning;
    const auto text = converted(row, leaf.text, warning);
    if (!warning.empty()) warn(document_, place, std::string(setting.key) + " " + warning);
    if (!text) return;
    apply_converted(document_, setting, app, *text, place);
  }

  std::optional<size_t> app_at(size_t number, const JsonLeaf& leaf) {
    const auto found = apps_.find(number);
    if (found != apps_.end()) return found->second;
    const size_t index = document_.settings.apps.size();
    if (index >= kAppsMax) {
      add(document_.diagnostics,
          {Severity::kError, leaf.place, "more than " + std::to_string(kAppsMax) + " apps", {}, {}});
      return std::nullopt;
    }
    document_.settings.apps.emplace_back();
    document_.places[Document::app_key(index)] = leaf.place;
    set_defaults(document_, Dialect::kSoketi, index);
    return apps_.emplace(number, index).first->second;
  }

  void unknown(const JsonLeaf& leaf, std::string_view option) {
    std::vector<std::string_view> known;
    for (const ForeignRow& row : foreign_table()) {
      if (!row.option.empty() && !row.option.ends_with('*')) known.push_back(row.option);
    }
    const std::string_view near = nearest(option, known);
    warn(document_, leaf.place, "no option of Soketi that Kilat knows is called " + readable(leaf.path) + "; ignored",
         near.empty() ? std::string{} : "did you mean " + std::string(near) + "?");
  }

  void warn_lost() {
    for (const auto& [row, leaves] : lost_) {
      std::string message = readable(leaves.front()->path) + " has no effect: " + std::string(row->note);
      for (size_t i = 1; i < leaves.size(); ++i) message += (i == 1 ? "; also " : ", ") + readable(leaves[i]->path);
      Place place = leaves.front()->place;
      warn(document_, std::move(place), std::move(message));
    }
  }

  Document& document_;
  bool metrics_ = false;           // switched on
  std::map<size_t, size_t> apps_;  // number in the file to index
  std::map<const ForeignRow*, std::vector<const JsonLeaf*>> lost_;
};

}  // namespace

bool is_soketi_json(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const size_t begin = text.find_first_not_of(" \t\r\n");
  return begin != std::string_view::npos && text[begin] == '{';
}

Document read_soketi_json(std::string_view text, std::string_view file) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  Document document;
  document.foreign = true;
  const SourceText source(text, file);
  if (text.size() > kFileBytesMax) {
    add(document.diagnostics, {Severity::kError, source.place(0, 0, 1), "the file is larger than 1MiB", {}, {}});
    return document;
  }
  const std::vector<JsonLeaf> leaves = json_leaves(text, source, document.diagnostics);
  Reader(document).read(leaves);
  sort_by_place(document.diagnostics);
  return document;
}

}  // namespace kilat::config
