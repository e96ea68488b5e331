// A folder of its own for each test, removed at its end.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "store/fault.h"

namespace kilat::store {

class Scratch : public testing::Test {
 protected:
  Scratch() {
    char pattern[] = "/tmp/kilat-store-XXXXXX";
    directory_ = ::mkdtemp(pattern);
  }
  ~Scratch() override { std::filesystem::remove_all(directory_); }

  std::filesystem::path file(std::string_view name = "apps.db") const { return directory_ / name; }

  void write(const std::filesystem::path& path, std::string_view text) { std::ofstream(path) << text; }

  /// Waits until `done` says so, at most two minutes.
  template <typename Done>
  static bool eventually(Done done) {
    for (int i = 0; i < 24'000 && !done(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return done();
  }

  static mode_t mode(const std::filesystem::path& path) {
    struct stat facts{};
    EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
    return facts.st_mode & 07777;
  }

  std::filesystem::path directory_;
};

/// The value, or a failed test that says what the fault was.
template <typename T>
T good(Outcome<T> outcome) {
  EXPECT_TRUE(outcome) << (outcome ? "" : outcome.error().why);
  return std::move(*outcome);
}

inline void good(Outcome<void> outcome) {
  EXPECT_TRUE(outcome) << (outcome ? "" : outcome.error().why);
}

}  // namespace kilat::store
