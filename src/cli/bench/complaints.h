// What went wrong, by kind: each distinct complaint once, with its count. Owner: the run; one thread.
// Bounds: kKindsMax kinds, texts of kTextBytesMax bytes; what is beyond is counted as "others".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kilat::cli::bench {

/// Where something went wrong.
enum class Stage : uint8_t {
  kConnect,  ///< until the subscription is confirmed
  kRun,      ///< an established connection: an error message, or its end
  kPublish,  ///< over HTTP
};

/// "connect", "run", "publish".
const char* name_of(Stage stage);

/// What a server (or the system) said. `code` is Pusher's error code, the status of a refused subscription, an HTTP
/// status or a WebSocket close code; 0 where there is none.
struct Complaint {
  int code = 0;
  std::string text;
};

class Complaints {
 public:
  static constexpr size_t kKindsMax = 32;
  static constexpr size_t kTextBytesMax = 200;

  struct Kind {
    Stage stage = Stage::kConnect;
    Complaint complaint;
    uint64_t count = 0;
  };

  void add(Stage stage, const Complaint& complaint);
  const std::vector<Kind>& kinds() const { return kinds_; }
  /// Complaints of this stage.
  uint64_t count(Stage stage) const;
  /// "4001: unknown app": the most frequent of this stage; "" when there is none.
  std::string most_frequent(Stage stage) const;

 private:
  std::vector<Kind> kinds_;
};

/// "4001: unknown app", or the text alone where there is no code. Fit for a terminal.
std::string text_of(const Complaint& complaint);

}  // namespace kilat::cli::bench
