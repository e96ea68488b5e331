// WindowTable: the keys of one window, in the order in which they first came, with what each holds.
// Owner: a lane. Lifetime of what it gives out: until clear(), which keeps the memory for as many keys as the window
// had, because the next one is likely to have the same. Bounds: the lane asks its rule before it adds.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "flow/rule_state.h"

namespace kilat::flow {

/// `Entry` is made once and used many times: it has a std::string key and reset(), after which it holds nothing.
template <typename Entry>
class WindowTable {
 public:
  size_t size() const { return used_; }

  Entry* find(std::string_view key) const {
    const auto found = index_.find(key);
    return found == index_.end() ? nullptr : found->second;
  }

  /// `key` must not be there yet.
  Entry& add(std::string_view key) {
    if (used_ == entries_.size()) entries_.push_back(std::make_unique<Entry>());
    Entry& entry = *entries_[used_];
    entry.key = key;
    index_.emplace(entry.key, &entry);
    ++used_;
    return entry;
  }

  std::span<const std::unique_ptr<Entry>> entries() const { return {entries_.data(), used_}; }

  /// Clearing costs as much as the table is large, so it must not stay large after one crowded window.
  void clear() {
    if (index_.bucket_count() > 8 * used_ + 64) {
      index_ = {};
    } else {
      index_.clear();
    }
    entries_.resize(used_);
    for (const std::unique_ptr<Entry>& entry : entries_) {
      entry->reset();
      shrink(entry->key);
    }
    used_ = 0;
  }

  /// Large texts do not stay behind.
  static void shrink(std::string& text) {
    if (text.capacity() > kKeptMax) text = {};
    text.clear();
  }

 private:
  static constexpr size_t kKeptMax = 1'024;

  std::vector<std::unique_ptr<Entry>> entries_;
  size_t used_ = 0;
  KeyMap<Entry*> index_;
};

}  // namespace kilat::flow
